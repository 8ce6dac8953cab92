"""Backups at random moments of a database that is being written: each is consistent."""

import random
import sqlite3
import threading
import time
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.admin.locations import Locations
from backend.admin.restore import restore
from backend.comparisons import repository as comparisons
from backend.db.models import Point, Rollup, Run, Series
from backend.ingest import handlers
from backend.runs import repository as runs
from backend.runs import snapshots
from contract.events import Event, Snapshot
from tests.backend.backup_folders import Folder, check_consistent, open_folder, read_members
from tests.backend.helpers import Attempt, claim, submit
from tests.support.waiting import until

EACH: Final = 25
"""Points of a message that has points."""


def kind(seq: int) -> str:
    """Return the kind of a run's message with this number."""
    if seq == 1:
        return "started"
    return "checkpoint" if seq % 5 == 0 else "snapshot" if seq % 7 == 0 else "points"


def points_until(seq: int) -> int:
    return EACH * sum(kind(one) == "points" for one in range(1, seq + 1))


class Writer(threading.Thread):
    """Creates, trains and deletes comparisons as the API does, until stopped."""

    def __init__(self, folder: Folder) -> None:
        super().__init__()
        self._folder = folder
        self._random = random.Random(7)
        self.stopped = threading.Event()
        self.messages = self.deleted = self.dropped = 0

    def run(self) -> None:
        while not self.stopped.is_set():
            comparison = self._train()
            if self._random.random() < 0.6:
                self._remove(comparison)

    def _train(self) -> str:
        comparison = submit(self._folder.database).id
        run = claim(self._folder.database)
        assert run is not None
        attempt = Attempt(run.id, run.attempt)
        length = self._random.randrange(5, 60)
        while attempt.seq < length and not self.stopped.is_set():
            self._store(self._event(attempt, attempt.seq + 1))
        self._store(attempt.ended())
        return comparison

    def _event(self, attempt: Attempt, seq: int) -> Event:
        first = points_until(seq - 1)
        match kind(seq):
            case "started":
                return attempt.started(10_000)
            case "checkpoint":
                return attempt.checkpointed(first, self._blob())
            case "snapshot":
                kept = {"embeddings": self._blob(), "facts": self._blob(), "samples": self._blob()}
                return attempt.kept(Snapshot(epoch=seq, step=first, **kept))
        return attempt.points(range(first, first + EACH))

    def _store(self, event: Event) -> None:
        with self._folder.database.write() as write:
            counts = handlers.store_events(write, [event], now=time.time())
        assert counts["taken"] == 1
        self.dropped += bool(self._folder.blobs.delete(write.unused_blobs, time.time() + 1))
        self.messages += 1

    def _remove(self, comparison: str) -> None:
        database, blobs = self._folder.database, self._folder.blobs
        with database.write() as write:
            gone = snapshots.blob_kinds(write.session, comparison)
            comparisons.remove(write, comparison)
        snapshots.delete_unused_blobs(database, blobs, gone, time.time() + 1)
        self.deleted += 1

    def _blob(self) -> str:
        return self._folder.blobs.put(self._random.randbytes(3000))


def check_runs(session: Session) -> int:
    """Check that each run's points, roll-ups and step match its last committed message."""
    all_runs = session.exec(select(Run)).all()
    for run in all_runs:
        over = run.state == "succeeded"
        expected = points_until(run.committed_seq - over)
        series = session.exec(select(Series.id).where(Series.run_id == run.id)).all()
        steps = session.exec(
            select(Point.step).where(col(Point.series_id).in_(series)).order_by(col(Point.step))
        ).all()
        assert steps == list(range(expected)), run
        rolled = select(func.coalesce(func.sum(Rollup.n), 0))
        assert session.exec(rolled.where(col(Rollup.series_id).in_(series))).one() == expected
        assert run.step == max(0, expected - 1)
        assert run.start_after <= expected
        assert (run.checkpoint is None) == (run.start_after == 0 or over)
    return len(all_runs)


@pytest.mark.parametrize("backups", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_each_backup_is_consistent_and_can_be_restored(backups: int, tmp_path: Path) -> None:
    moments = random.Random(3)
    with open_folder(tmp_path / "data") as folder:
        writer = Writer(folder)
        writer.start()
        try:
            until(lambda: writer.deleted > 3 and writer.dropped > 20, "something to be deleted")
            for number in range(backups):
                then = writer.messages + moments.randrange(1, 60)
                until(lambda then=then: writer.messages >= then, "messages")  # type: ignore[misc]
                made = folder.save(tmp_path / f"{number}.tar")
                assert made.lost == []
        finally:
            writer.stopped.set()
            writer.join()
    seen = []
    for number in range(backups):
        file = tmp_path / f"{number}.tar"
        copied = tmp_path / f"{number}.sqlite"
        copied.write_bytes(read_members(file)["database.sqlite"])
        with sqlite3.connect(copied) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
        with (
            open_folder(tmp_path / f"of {number}", f"sqlite:///{copied}") as found,
            found.database.read() as session,
        ):
            seen.append(check_runs(session))
        target = tmp_path / f"new {number}"
        restore(Locations(target, f"sqlite:///{target / 'lossboard.sqlite'}"), file)
        with open_folder(target) as restored:
            check_consistent(restored)
            with restored.database.read() as session:
                assert runs.in_state(session, "running") == []
    assert len(set(seen)) > 1
