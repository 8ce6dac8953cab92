"""Comparisons that are run without queue and workers, as quickly as the cores allow.

Each run trains in a process of its own pool with one torch thread; what it reports is stored as the
events of a worker are, in a database in a folder. A comparison that the folder has already is not
run again, so an interrupted script goes on where it was.
"""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch
from sqlmodel import col, select

from backend.comparisons import repository as comparisons
from backend.db import migrations
from backend.db.database import Database
from backend.db.models import Comparison, Run
from backend.ingest.handlers import store_events
from backend.runs import repository as runs
from backend.verdict.service import give_verdict
from backend.verdict.summary import summarise
from benchmarks.report import RESULTS
from contract.comparison.spec import parse_spec
from contract.events import Column, Ended, Event, Failure, Noticed, Points, Started
from contract.metrics.versions import run_versions
from worker.errors import DivergedError
from worker.reporting.reporter import ListReporter
from worker.trainer.attempt import trainer_of

Json = Mapping[str, Any]

FOLDER: Final = RESULTS / "comparisons"


class Bench:
    """Comparisons in one folder."""

    def __init__(self, database: Database, jobs: int) -> None:
        self._database = database
        self._jobs = jobs

    def run(self, specs: Sequence[Json]) -> list[str]:
        """Run what is not there yet of these comparisons; return their ids, in the same order."""
        found = [self._comparison(spec) for spec in specs]
        self._work(found)
        return found

    def verdict(
        self, comparison: str, a: str | None = None, b: str | None = None
    ) -> dict[str, Any]:
        """Return the verdict on two arms, as the API gives it."""
        with self._database.read() as session:
            found = comparisons.get(session, comparison)
            return give_verdict(session, found, a, b).model_dump()

    def summary(self, comparison: str) -> dict[str, Any]:
        """Return the summary, as the API gives it."""
        with self._database.read() as session:
            return summarise(session, comparisons.get(session, comparison)).model_dump()

    def _comparison(self, raw: Json) -> str:
        spec = parse_spec(dict(raw))
        full = spec.model_dump(mode="json")
        with self._database.write() as write:
            known = write.session.exec(select(Comparison).where(Comparison.name == spec.name)).all()
            if same := [one for one in known if one.spec == full]:
                return same[0].id
            return comparisons.create(write, spec=spec, raw=full, now=time.time()).id

    def _work(self, found: Sequence[str]) -> None:
        waiting = self._claimed(found)
        if not waiting:
            return
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self._jobs, mp_context=context) as pool:
            asked: dict[Future[list[Event]], Run] = {
                pool.submit(_train, spec, run.arm, run.seed, run.id, run.attempt): run
                for run, spec in waiting
            }
            for done, future in enumerate(as_completed(asked), start=1):
                with self._database.write() as write:
                    store_events(write, future.result(), time.time())
                print(f"\r{done} of {len(asked)} runs", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)

    def _claimed(self, found: Sequence[str]) -> list[tuple[Run, Json]]:
        """Return the runs that have not ended, as if claimed by a worker, and their specs."""
        with self._database.write() as write:
            rows = write.session.exec(
                select(Run, Comparison)
                .where(col(Run.comparison_id) == Comparison.id)
                .where(col(Comparison.id).in_(found), col(Run.state).in_(("queued", "running")))
                .order_by(col(Comparison.created_at), col(Run.position))
            ).all()
            for run, _ in rows:
                if run.state == "running":  # of a script that was interrupted
                    runs.lose_attempt(write, run, reason="interrupted", strike=False, now=0)
                run.state, run.started_at = "running", time.time()
                write.session.add(run)
            return [(run, comparison.spec) for run, comparison in rows]


@contextmanager
def bench(folder: Path, jobs: int) -> Iterator[Bench]:
    """Open a folder of comparisons; `jobs` processes train at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    database = Database(f"sqlite:///{folder / 'comparisons.sqlite'}")
    migrations.upgrade(database)
    try:
        yield Bench(database, jobs)
    finally:
        database.engine.dispose()


def add_arguments(parser: argparse.ArgumentParser, cases: Iterable[str]) -> None:
    """Add `cases`, the data sets to run, all by default; `folder`, which keeps their comparisons;
    and `jobs`, the trainings at a time."""
    known = list(cases)

    def case(name: str) -> str:
        if name not in known:
            raise argparse.ArgumentTypeError(f"no such data: {name}")
        return name

    names = " or ".join(known)
    parser.add_argument("cases", nargs="*", type=case, metavar="data", help=names, default=known)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="keeps the comparisons")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time")


def _train(raw: Json, arm: str, seed: int, run: str, attempt: int) -> list[Event]:
    """Train one run; return the events that its worker would have sent."""
    torch.set_num_threads(1)
    spec = parse_spec(dict(raw))
    reporter = ListReporter()
    try:
        own, device = spec.arm(arm), torch.device("cpu")
        training = trainer_of(spec, own, device)(spec, own, seed, device, reporter)
        reporter.ended(training.run(lambda: False))
    except DivergedError as error:
        reporter.ended("failed", Failure(message=str(error), cause=error.cause, step=error.step))
    assert reporter.state is not None
    started = partial(
        Started,
        device="cpu",
        total_steps=reporter.total_steps,
        steps_per_epoch=reporter.steps_per_epoch,
        versions=run_versions(),
        splits=reporter.splits,
    )
    columns = [
        Column(key=key, steps=[step for step, _ in points], values=[value for _, value in points])
        for key, points in reporter.series.items()
    ]
    events: list[Callable[..., Event]] = [
        started,
        partial(Points, step=reporter.total_steps, series=columns),
        *(
            partial(Noticed, state=state, step=step, message=message)
            for state, (step, message) in reporter.states.items()
        ),
        partial(Ended, state=reporter.state, failure=reporter.failure),
    ]
    return [event(run=run, attempt=attempt, seq=seq) for seq, event in enumerate(events, start=1)]
