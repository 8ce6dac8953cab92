"""MLflow on SQLite: its fluent call, its client's batches, and its store without either."""

import sqlite3
import time
from collections.abc import Iterator

import mlflow
from mlflow.entities import Metric
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.tracking import MlflowClient

from benchmarks.peers.job import BATCH, LONG_KEY, Job, answer, expect, repeated, timed


def logged(job: Job) -> float:
    """`mlflow.log_metrics` at every step."""
    mlflow.set_tracking_uri(_uri(job))
    steps = list(job.steps)

    def write() -> None:
        for step, values in steps:
            mlflow.log_metrics(values, step=step)

    with mlflow.start_run():
        mlflow.log_metrics({"first": 1.0}, step=0)
        return timed(write)


def batched(job: Job) -> float:
    """`MlflowClient.log_batch` with a thousand points."""
    client = MlflowClient(_uri(job))
    run = client.create_run("0").info.run_id
    batches = list(_batches(job))
    return timed(lambda: [client.log_batch(run, metrics=batch) for batch in batches])


def stored(job: Job) -> float:
    """`SqlAlchemyStore.log_batch` with a thousand points."""
    store = _store(job)
    run = _run(store)
    batches = list(_batches(job))
    return timed(lambda: [store.log_batch(run, batch, [], []) for batch in batches])


def fill(job: Job) -> float:
    """Put a long series into its table, by SQL: its own ways would take minutes."""
    store = _store(job)
    run = _run(store)
    now = int(time.time() * 1000)
    rows = ((LONG_KEY, value, now + step, run, step, 0) for step, value in job.curve)

    def write() -> None:
        with sqlite3.connect(_file(job)) as connection:
            connection.executemany(
                "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )
            connection.execute("ANALYZE")

    took = timed(write)
    (job.folder / str(job.points)).write_text(run)
    return took


def thinned(job: Job) -> float:
    """A thousand points of a long series, as its charts ask for them."""
    store, run = _store(job), _filled(job)

    def read() -> None:
        found = store.get_metric_history_bulk_interval([run], LONG_KEY, 1000, None, None)
        expect(len(found), 500, 1001)

    return repeated(read)


def whole(job: Job) -> float:
    """All points of a series."""
    store, run = _store(job), _filled(job)
    return repeated(
        lambda: expect(len(store.get_metric_history(run, LONG_KEY)), job.points, job.points)
    )


def _file(job: Job) -> str:
    return str(job.folder / "mlflow.db")


def _uri(job: Job) -> str:
    return f"sqlite:///{_file(job)}"


def _store(job: Job) -> SqlAlchemyStore:
    return SqlAlchemyStore(_uri(job), (job.folder / "artifacts").as_uri())


def _run(store: SqlAlchemyStore) -> str:
    run: str = store.create_run("0", "bench", int(time.time() * 1000), [], "long").info.run_id
    return run


def _filled(job: Job) -> str:
    return (job.folder / str(job.points)).read_text()


def _batches(job: Job) -> Iterator[list[Metric]]:
    now = int(time.time() * 1000)
    batch: list[Metric] = []
    for step, values in job.steps:
        batch += [Metric(key, value, now + step, step) for key, value in values.items()]
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


if __name__ == "__main__":
    answer(
        "mlflow",
        {
            "logged": logged,
            "logged_one": lambda job: logged(job.narrow),
            "batched": batched,
            "stored": stored,
            "fill": fill,
            "thinned": thinned,
            "whole": whole,
        },
    )
