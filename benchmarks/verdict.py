"""How long a large comparison's verdict, summary and leaderboard take: 20 arms, 20 seeds, 10,000
steps a run. Over HTTP at an API process that has just started, and again when it is warm; and what
the figures cost that a run is stored with at its end.
"""

import contextlib
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
from sqlmodel import Session, update

from backend.comparisons import repository as comparisons
from backend.db import migrations
from backend.db.database import Database
from backend.db.models import Run
from backend.db.sqlite_file import sqlite_url
from backend.metrics import points
from backend.metrics.keys import EVALUATED
from backend.metrics.run_figures import compute_figures, store_figures
from backend.runs import repository as runs
from backend.settings import DATABASE_FILE
from benchmarks.report import Row, percentile, report
from contract.comparison.spec import ComparisonSpec, parse_spec
from contract.metrics import TEST_PREFIX
from tests.support.api_process import api_process
from tests.support.broker import Broker

ARMS, SEEDS, STEPS, EPOCHS = 20, 20, 10_000, 50
WARM_MS, COLD_MS = 300.0, 3_000.0
"""What was asked for."""
WARM_CALLS: Final = 9
PATHS: Final = ("verdict", "summary", "leaderboard")
PER_STEP: Final = (
    "dynamics.loss",
    "dynamics.active_ratio",
    "dynamics.active_ratio.negative",
    "dynamics.active_ratio.pushing_anchors",
    "dynamics.gradient_norm",
    "dynamics.gradient_norm.per_active",
    "dynamics.pull_share",
    "dynamics.empty_steps",
)
"""Series with a point at each step that figures are computed from."""
HELD_OUT: Final = tuple(key for key in EVALUATED if "audio" not in key and "visual" not in key)

# One run's points are made in Python; those of the others are its own, scaled, within the database.
_SCALED_POINTS: Final = (
    "INSERT INTO point SELECT {new}, step, value * {factor} FROM point WHERE series_id = {first}"
)
_SCALED_ROLLUP: Final = (
    "INSERT INTO {table} SELECT {new}, bucket, n, nulls, low * {factor}, high * {factor}, "
    "total * {factor} FROM {table} WHERE series_id = {first}"
)


def main() -> None:
    """Fill a database, measure and report."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        database = Database(sqlite_url(data / DATABASE_FILE))
        migrations.upgrade(database)
        comparison = fill(database)
        rows = _figures(database, comparison)
        database.close()
        report([*rows, *_requests(data, comparison)])


def fill(database: Database, *, arms: int = ARMS, seeds: int = SEEDS, steps: int = STEPS) -> str:
    """Store a comparison whose runs have all succeeded; return its id. No figures are stored."""
    spec = _spec(arms, seeds)
    with database.write() as write:
        raw = spec.model_dump(mode="json")
        comparison = comparisons.create(write, spec=spec, raw=raw, now=1e9).id
        write.session.flush()
        write.session.connection().execute(
            update(Run).values(
                state="succeeded",
                step=steps,
                total_steps=steps,
                steps_per_epoch=steps // EPOCHS,
                started_at=1e9,
                ended_at=1e9 + 60,
            )
        )
    with database.read() as session:
        first, *others = [run.id for run in runs.of_comparison(session, comparison)]
    draws = random.Random(0)
    with database.write() as write:
        made = _fill_first(write.session, first, steps, draws)
    for run in others:
        with database.write() as write:
            _fill_scaled(write.session, run, made, draws)
    return comparison


def _spec(arms: int, seeds: int) -> ComparisonSpec:
    losses = [("contrastive", "triplet")[at % 2] for at in range(arms)]
    return parse_spec(
        {
            "name": "large",
            "data": {"kind": "digits"},
            "encoder": {"kind": "mlp"},
            "arms": [
                {"name": f"{kind} {at}", "loss": {"kind": kind, "margin": 0.2 + at / 20}}
                for at, kind in enumerate(losses)
            ],
            "seeds": list(range(seeds)),
        }
    )


def _fill_first(session: Session, run: str, steps: int, draws: random.Random) -> dict[str, int]:
    """Store all series of a run; return their ids by key."""
    columns: dict[str, tuple[list[int], list[float | None]]] = {}
    for key in PER_STEP:
        columns[key] = [*range(1, steps + 1)], [draws.random() for _ in range(steps)]
    every_tenth = list(range(10, steps + 1, 10))
    columns["dynamics.update_norm"] = every_tenth, [draws.random() for _ in every_tenth]
    columns["dynamics.loss"][0].insert(0, 0)
    columns["dynamics.loss"][1].insert(0, 2.0)
    per_epoch = steps // EPOCHS
    for key in HELD_OUT:
        ends = [steps] if key.startswith(TEST_PREFIX) else list(range(0, steps + 1, per_epoch))
        columns[key] = ends, [draws.random() / 2 for _ in ends]
    ids = points.ensure_series(session, [(run, key) for key in columns])
    made = {key: series for (_, key), series in ids.items()}
    points.insert(session, {made[key]: column for key, column in columns.items()})
    return made


def _fill_scaled(session: Session, run: str, first: dict[str, int], draws: random.Random) -> None:
    ids = points.ensure_series(session, [(run, key) for key in first])
    connection = session.connection()
    for key, series in first.items():
        own = {"new": ids[run, key], "first": series, "factor": 0.5 + draws.random()}
        connection.exec_driver_sql(_SCALED_POINTS.format(**own))
        for table in ("rollup", "fine_rollup"):
            connection.exec_driver_sql(_SCALED_ROLLUP.format(table=table, **own))


def _figures(database: Database, comparison: str) -> list[Row]:
    """Store the figures of all runs, as the API does at a run's end."""
    computed, stored = [], []
    with database.read() as session:
        all_runs = runs.of_comparison(session, comparison)
    for run in all_runs:
        began = time.perf_counter()
        with database.read() as session:
            figures = compute_figures(session, [run])[run.id]
        computed.append((time.perf_counter() - began) * 1e3)
        began = time.perf_counter()
        with database.write() as write:
            store_figures(write.session, run, figures)
        stored.append((time.perf_counter() - began) * 1e3)
    return [
        Row("verdict", f"{what}, p{share}", percentile(took, share / 100), "ms", len(took))
        for what, took, share in (
            ("a run's figures, computed beside all writes", computed, 50),
            ("a run's figures, computed beside all writes", computed, 95),
            ("the write that stores them", stored, 95),
        )
    ]


def _requests(data: Path, comparison: str) -> list[Row]:
    cold: dict[str, float] = {}
    warm: dict[str, list[float]] = {}
    with _api(data) as url:
        for path in PATHS:  # each one's first answer of this process
            cold[path] = _timed(f"{url}/comparisons/{comparison}/{path}")
        for _ in range(WARM_CALLS):
            for path in PATHS:
                took = _timed(f"{url}/comparisons/{comparison}/{path}")
                warm.setdefault(path, []).append(took)
    rows = []
    for path in PATHS:
        rows.append(
            Row("verdict", f"{path}, first after a start", cold[path], "ms", 1, limit=COLD_MS)
        )
        took = statistics.median(warm[path])
        rows.append(Row("verdict", f"{path}, warm", took, "ms", WARM_CALLS, limit=WARM_MS))
    return rows


@contextlib.contextmanager
def _api(data: Path) -> Iterator[str]:
    broker = Broker(data.parent)
    broker.start()
    environment = {"LOSSBOARD_DATA_DIR": str(data), "REDIS_URL": broker.url}
    try:
        with api_process(data.parent / "log", environment) as api:
            api.wait_until_it_serves()
            yield api.url
    finally:
        broker.close()


def _timed(url: str) -> float:
    began = time.perf_counter()
    answer = httpx.get(url, timeout=120)
    took = (time.perf_counter() - began) * 1e3
    assert answer.status_code == 200, answer.text
    return took


if __name__ == "__main__":
    main()
