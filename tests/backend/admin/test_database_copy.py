"""Migrate and copy: between SQLite and a real PostgreSQL, both ways, all or nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlmodel import SQLModel, col, select

from backend.admin.__main__ import run
from backend.admin.database_copy import TableSum, copy_database, table_sums
from backend.admin.locations import AdminError
from backend.db import migrations
from backend.db.database import Database
from backend.db.models import Run, Series, Template, Trial
from backend.maintenance.run_figures import FiguresKeeper
from backend.metrics import points
from backend.storage import data_folder
from tests.backend.helpers import Attempt, claim, points_of, run_now, submit
from tests.backend.scripted_runs import scripted_comparison, store_events
from tests.backend.stored_tokens import store_token
from tests.support.postgres import Postgres
from tests.support.specs import small
from tests.support.tuned import store_tuned


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Database]:
    """A database in a data folder, with values in every kind of column."""
    folder = tmp_path / "data"
    folder.mkdir()
    database = Database(f"sqlite:///{folder / 'lossboard.sqlite'}")
    migrations.upgrade(database)
    submit(database, name="ünï ✓", tags=["a", "b"])
    run = claim(database)
    assert run is not None
    attempt = Attempt(run.id)
    started = attempt.started(
        versions={"engine": "0.6.0", "measures": "2"},
        splits={"train": 6, "validation": 2, "test": 2},
    )
    store_events(database, started, attempt.points(range(25_000)))
    store_events(
        database, attempt.points([1, 2], [None, -0.0], key="odd"), attempt.log("a\0b", "c")
    )
    store_token(database, "Ada")
    scripted_comparison(
        database, lambda *_: {"test.retrieval.map_at_r": {50: 0.1 + 0.2}}, seeds=[0]
    )
    store_tuned(database, {"pull": ["complete", "failed"]}, {"pull": ["queued", "queued"]})
    keeper = FiguresKeeper(database)
    while keeper.step():
        pass
    with database.write() as write:  # a number that was given once, and is in no row any more
        write.session.add(Series(id=900, run_id=run.id, key="gone"))
        write.session.flush()
        write.session.delete(write.session.get(Series, 900))
        spec = small(notes="ünï ✓")
        write.session.add(
            Template(id="t1", name="ünï", note="", spec=spec, created_by="Ada", created_at=0.1)
        )
    yield database
    database.close()


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[Database]:
    with postgres.fresh() as url:
        database = Database(url)
        yield database
        database.close()


def sums_of(database: Database) -> dict[str, TableSum]:
    with database.read() as session:
        return table_sums(session.connection())


def trials_of(database: Database) -> list[tuple[Trial, list[Run]]]:
    """Return the trials with all runs that have their settings."""
    with database.read() as session:
        found = session.exec(select(Trial).order_by(col(Trial.number))).all()
        return [
            (
                trial,
                sorted(
                    session.exec(select(Run).where(Run.trial_id == trial.id)).all(),
                    key=lambda run: run.position,
                ),
            )
            for trial in found
        ]


def run_of(database: Database) -> str:
    with database.read() as session:
        found = (
            session.connection()
            .execute(text("SELECT run_id FROM series ORDER BY id"))
            .scalars()
            .first()
        )
    assert isinstance(found, str)
    return found


def test_a_copy_to_postgres_and_back_keeps_every_row(
    filled: Database, empty: Database, tmp_path: Path
) -> None:
    copied = copy_database(filled, empty)
    assert {name: one.rows for name, one in copied.items()} | {"point": 25_004} == {
        name: one.rows for name, one in sums_of(filled).items()
    }
    assert sums_of(empty) == copied
    run = run_of(filled)
    assert run_now(empty, run) == run_now(filled, run)
    assert run_now(empty, run).splits == {"train": 6, "validation": 2, "test": 2}
    assert copied["run_figures"].rows == 2
    assert trials_of(empty) == trials_of(filled)
    assert [(trial.params, trial.state, trial.epochs) for trial, _ in trials_of(filled)] == [
        ({}, "complete", 4),
        ({"loss.margin": 0.2}, "failed", None),
    ]
    assert points_of(empty, run) == points_of(filled, run)
    assert points_of(empty, run, "odd") == ([1, 2], [None, -0.0])
    back = Database(f"sqlite:///{tmp_path / 'back.sqlite'}")
    assert copy_database(empty, back) == copied
    assert trials_of(back) == trials_of(filled)
    with back.read() as session:
        texts = session.connection().execute(text("SELECT text FROM log_line ORDER BY id"))
        assert texts.scalars().all() == ["a\ufffdb", "c"]  # PostgreSQL has no character 0
    for database in (empty, back):  # and both count on where the first one was
        with database.write() as write:
            [made] = points.ensure_series(write.session, [(run, "new")]).values()
        assert made == 901
        follow = Attempt(run)
        follow.seq = run_now(database, run).committed_seq
        store_events(database, follow.log("next"))
        with database.read() as session:
            found = session.connection().execute(text("SELECT max(id) FROM log_line")).scalar()
        assert found == 3
    back.close()


def test_later_writes_are_not_copied(filled: Database, tmp_path: Path) -> None:
    before = sums_of(filled)
    target = Database(f"sqlite:///{tmp_path / 'copy.sqlite'}")

    def report(what: str, done: int, total: int) -> None:
        if what == "copying rows":
            submit(filled)

    assert copy_database(filled, target, report=report) == before == sums_of(target)
    assert sums_of(filled) != before
    target.close()


def test_a_target_that_is_not_empty_is_refused(filled: Database, empty: Database) -> None:
    migrations.upgrade(empty)
    submit(empty)
    before = sums_of(empty)
    with pytest.raises(AdminError, match=r"not empty; rows of comparison \(1\), run \(1\)"):
        copy_database(filled, empty)
    assert sums_of(empty) == before


def test_a_row_that_arrives_changed_rolls_everything_back(
    filled: Database, empty: Database
) -> None:
    migrations.upgrade(empty)
    with empty.migration() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN IF NEW.step = 77 THEN NEW.value = 78; END IF; RETURN NEW; END'"
            )
        )
        connection.execute(
            text(
                "CREATE TRIGGER spoil BEFORE INSERT ON point FOR EACH ROW EXECUTE FUNCTION spoil()"
            )
        )
    with pytest.raises(AdminError, match="point has 25004 of 25004 rows, with other content"):
        copy_database(filled, empty)
    assert {one.rows for name, one in sums_of(empty).items() if name != "stream_position"} == {0}
    with empty.migration() as connection:
        connection.execute(text("DROP TRIGGER spoil ON point"))
    copy_database(filled, empty)


def test_an_older_source_must_be_migrated_first(tmp_path: Path) -> None:
    source, target = (Database(f"sqlite:///{tmp_path / name}") for name in ("old", "new"))
    migrations.upgrade(source, "0001")
    with pytest.raises(AdminError, match=r"version 0001, not .*launcher migrate"):
        copy_database(source, target)
    source.close()
    target.close()


def test_up_down_and_up_on_postgres(empty: Database) -> None:
    for _ in range(2):
        migrations.upgrade(empty)
        with empty.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, SQLModel.metadata) == []
        assert migrations.current(empty) == migrations.head()
        migrations.downgrade(empty, "base")
        assert migrations.current(empty) is None


def test_the_commands(
    filled: Database, postgres: Postgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ["--data-dir", str(tmp_path / "data")]
    run(["migrate", *folder], {})
    assert "nothing to do" in capsys.readouterr().err
    migrations.downgrade(filled, "0003")
    with data_folder.exclusive_locks(tmp_path / "data"):
        api_lock = data_folder.DataFolderLock(tmp_path / "data")
    for command in (["migrate"], ["copy", "--to", "sqlite:///other"]):
        with pytest.raises(AdminError, match="an API uses the data folder"):
            run([*command, *folder], {})
    api_lock.release()
    run(["migrate", *folder], {})
    assert f"from version 0003 to {migrations.head()}" in capsys.readouterr().err
    with postgres.fresh() as url:
        run(["copy", "--to", url, *folder], {})
        assert "point                   25004 rows" in capsys.readouterr().err
        run(["migrate"], {"LOSSBOARD_DATABASE_URL": url, "LOSSBOARD_DATA_DIR": str(tmp_path)})
    with pytest.raises(AdminError, match="there is no database"):
        run(
            [
                "copy",
                "--to",
                "sqlite:///other",
                "--data-dir",
                str(tmp_path / "none"),
            ],
            {},
        )


def test_a_newer_database_is_not_touched(filled: Database, tmp_path: Path) -> None:
    with filled.write() as write:
        write.session.connection().execute(text("UPDATE alembic_version SET version_num = 'z9'"))
    with pytest.raises(AdminError, match="version z9, which this one does not know"):
        run(["migrate", "--data-dir", str(tmp_path / "data")], {})
