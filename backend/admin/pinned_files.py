"""Keep the files that a database names while they are backed up, whatever is deleted meanwhile.

The API deletes a blob once no row names it: for each run, a checkpoint every half a minute. So the
files that a view names are hard-linked at once, before any of them is copied; if one had just been
deleted, the view is replaced by a newer one. A link takes no room, and its file stays.
"""

import os
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from sqlmodel import Session, col, delete, or_, select, update

from backend.admin.archive import blob_member, upload_member
from backend.datasets import repository as datasets
from backend.datasets.check_report import CONTENT, THUMBNAILS
from backend.db.database import Database
from backend.db.models import Artifact, Dataset, Projection, Run, Snapshot
from backend.runs import snapshots
from backend.storage.blobs import BLOBS_FOLDER, Blobs

MIN_TRIES: Final = 5
"""Views after which a file that was missing from each of them counts as lost."""
MAX_TRIES: Final = 50
LOST: Final = "its file was lost or damaged before a backup"
"""Why a restored run lacks a part of its model."""
PAUSE_S: Final = 0.2


@dataclass(frozen=True)
class ReferencedFiles:
    """The files that one view of a database names, by the names that they have in a backup."""

    sha256: dict[str, str]
    """Files that must exist -> the digest that their content must have."""
    thumbnails: frozenset[str]
    """Files that may exist."""

    @classmethod
    def read(cls, session: Session) -> Self:
        """Read all that rows name, including checkpoints and coordinates."""
        uploads = {row.id: row.sha256 for row in datasets.list_all(session)}
        return cls(
            {blob_member(digest): digest for digest in snapshots.used_digests(session)}
            | {upload_member(dataset, CONTENT): sha256 for dataset, sha256 in uploads.items()},
            frozenset(upload_member(dataset, THUMBNAILS) for dataset in uploads),
        )


@dataclass(frozen=True)
class PinnedFiles:
    """A view, and its files."""

    session: Session
    files: dict[str, Path]
    """Name in a backup -> path."""
    sha256: dict[str, str]
    """Name -> the digest that the content must have; unknown for thumbnails."""
    lost: set[str]
    """Files that the view names and that are missing from the disk."""


@contextmanager
def pin_files(database: Database, folder: Path, links: Path) -> Iterator[PinnedFiles]:
    """Open a view of the database whose files stay until the end.

    Args:
        database: only read.
        folder: the data folder.
        links: a folder on the same disk that does not exist yet; deleted at the end.
    """
    shutil.rmtree(links, ignore_errors=True)
    links.mkdir(parents=True)
    try:
        before: set[str] = set()
        for tries in range(1, MAX_TRIES + 1):
            with database.read() as session:
                names = ReferencedFiles.read(session)
                files = {name: links / name for name in (*names.sha256, *names.thumbnails)}
                linked = {name for name, link in files.items() if _link(folder, name, link)}
                lost = names.sha256.keys() - linked
                if not lost or (tries >= MIN_TRIES and lost <= before) or tries == MAX_TRIES:
                    kept = {name: link for name, link in files.items() if name in linked}
                    yield PinnedFiles(session, kept, names.sha256, lost)
                    return
            before = lost
            time.sleep(PAUSE_S)
    finally:
        shutil.rmtree(links, ignore_errors=True)


def _link(folder: Path, name: str, link: Path) -> bool:
    """Link a file; return whether it exists."""
    if link.exists():
        return True
    link.parent.mkdir(parents=True, exist_ok=True)
    source = member_path(folder, name)
    try:
        os.link(source, link)
    except FileNotFoundError:
        return False
    except OSError:  # the disk has no hard links, or it is another disk: copy the file instead
        partial = link.with_name(f"{link.name}.partial")
        with suppress(FileNotFoundError):
            shutil.copyfile(source, partial)
            partial.replace(link)
            return True
        return False
    return True


def member_path(folder: Path, name: str) -> Path:
    """Return where a file of a backup lies in a data folder."""
    digest = name.removeprefix(blob_member(""))
    return folder / name if digest == name else Blobs(folder / BLOBS_FOLDER).location(digest)


def remove_references(database: Database, lost: Collection[str]) -> None:
    """Remove references to lost files from a copied database: snapshots, projections and data sets
    as rows; of a run only its checkpoint, so that it starts over, and what it kept of its model."""
    blobs = {name.removeprefix(blob_member("")) for name in lost}
    with database.write() as write:
        session = write.session
        session.exec(
            delete(Snapshot).where(
                or_(
                    col(Snapshot.embeddings).in_(blobs),
                    col(Snapshot.facts).in_(blobs),
                    col(Snapshot.samples).in_(blobs),
                    col(Snapshot.sprite).in_(blobs),
                    col(Snapshot.sounds).in_(blobs),
                )
            )
        )
        session.exec(delete(Projection).where(col(Projection.coordinates).in_(blobs)))
        session.exec(
            update(Run).where(col(Run.checkpoint).in_(blobs)).values(checkpoint=None, start_after=0)
        )
        session.exec(
            update(Artifact)
            .where(col(Artifact.digest).in_(blobs))
            .values(digest=None, problem=LOST)
        )
        for dataset in session.exec(select(Dataset)).all():
            if upload_member(dataset.id, CONTENT) in lost:
                session.delete(dataset)
