"""Data folders with something of every kind in them, for tests of backups."""

import hashlib
import io
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.admin.backup import BackupReport, backup
from backend.admin.locations import Locations
from backend.admin.pinned_files import ReferencedFiles, member_path
from backend.admin.progress import ReportProgress, ignore_progress
from backend.datasets import repository as datasets
from backend.datasets.check_report import CONTENT, THUMBNAILS
from backend.datasets.repository import UPLOADS, Uploads
from backend.db import migrations
from backend.db.database import Database
from backend.db.models import Dataset
from backend.storage.blobs import BLOBS_FOLDER, Blobs
from tests.backend.helpers import Attempt, claim, submit
from tests.backend.scripted_runs import store_events
from tests.support.snapshots import fill
from tests.support.stored_models import store_models

UPLOADED = b"what a team uploaded"


class Folder:
    """A data folder with an open database."""

    def __init__(self, folder: Path, url: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.locations = Locations(folder, url or f"sqlite:///{folder / 'lossboard.sqlite'}")
        self.database = Database(self.locations.url)
        migrations.upgrade(self.database)
        self.blobs = Blobs(folder / BLOBS_FOLDER)
        self.blobs.open()
        self.uploads = Uploads(folder / UPLOADS)
        self.uploads.open()

    def upload(self) -> str:
        """A data set; its id."""
        made = Dataset(
            id="d0123456789abcdef",
            name="n",
            kind="features",
            created_at=1000.0,
            size=len(UPLOADED),
            sha256=hashlib.sha256(UPLOADED).hexdigest(),
            items=1,
            facts={},
        )
        folder = self.folder / UPLOADS / made.id
        folder.mkdir()
        (folder / CONTENT).write_bytes(UPLOADED)
        (folder / THUMBNAILS).write_bytes(b"small")
        key = made.id
        with self.database.write() as write:
            datasets.add(write, made)
        return key

    def running(self, checkpoint: bytes = b"a training's state") -> Attempt:
        """A run in the middle of its training, behind a checkpoint of step 100."""
        submit(self.database)
        run = claim(self.database)
        assert run is not None
        attempt = Attempt(run.id, run.attempt)
        digest = self.blobs.put(checkpoint)
        store_events(self.database, attempt.started(1000), attempt.points(range(101)))
        store_events(
            self.database, attempt.checkpointed(100, digest), attempt.points(range(101, 151))
        )
        return attempt

    def fill(self) -> str:
        """A comparison that is over, with snapshots, projections and trained models; its id."""
        comparison = fill(self.database, self.blobs, seeds=2, epochs=2, samples=40)
        store_models(self.database, self.blobs, comparison)
        return comparison

    def save(
        self, file: Path, report: ReportProgress = ignore_progress, *, force: bool = False
    ) -> BackupReport:
        return backup(self.locations, file, force=force, report=report)


@contextmanager
def open_folder(folder: Path, url: str = "") -> Iterator[Folder]:
    found = Folder(folder, url)
    try:
        yield found
    finally:
        found.database.close()


def check_consistent(folder: Folder) -> None:
    """Check that all files that the database names exist as they must, and SQLite's own checks."""
    if folder.locations.file:
        with sqlite3.connect(folder.locations.file) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()
    with folder.database.read() as session:
        named = ReferencedFiles.read(session)
    for name, sha256 in named.sha256.items():
        content = member_path(folder.folder, name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == sha256, name


def file_hashes(folder: Path) -> dict[str, str]:
    """Return each file below a folder with its hash; without empty locks and SQLite's shared
    memory."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock" and not path.name.endswith("-shm")
    }


def read_members(file: Path) -> dict[str, bytes]:
    """Return the members of a backup."""
    with tarfile.open(file, "r:") as tar:
        found = {}
        for header in tar:
            content = tar.extractfile(header)
            assert content is not None
            found[header.name] = content.read()
        return found


def rewrite_backup(
    file: Path, change: Callable[[tarfile.TarInfo, bytes], tuple[tarfile.TarInfo, bytes]]
) -> None:
    """Write a backup again with each member changed."""
    with tarfile.open(file, "r:") as tar:
        parts = [(header, tar.extractfile(header)) for header in tar]
        changed = [change(header, content.read()) for header, content in parts if content]
    with tarfile.open(file, "w:") as tar:
        for header, content in changed:
            header.size = len(content) if header.isreg() else 0
            tar.addfile(header, io.BytesIO(content))
