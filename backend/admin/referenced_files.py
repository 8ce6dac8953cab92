"""The files that a database names: blobs, and those of uploaded data sets."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from sqlmodel import Session, col, delete, or_, select, update

from backend.admin.manifest import blob_name, upload_name
from backend.datasets import repository as datasets
from backend.datasets.files import CONTENT, THUMBNAILS
from backend.db.database import Database
from backend.db.models import Dataset, Projection, Run, Snapshot
from backend.runs import snapshots


@dataclass(frozen=True)
class Named:
    """What one view of a database names, by the names that the files have in a backup."""

    sha256: dict[str, str]
    """Of those that must be there, what their content must have."""
    thumbnails: frozenset[str]
    """Those that may be there."""

    @classmethod
    def of(cls, session: Session) -> Self:
        """All that rows name, checkpoints and coordinates included."""
        uploads = {row.id: row.sha256 for row in datasets.listed(session)}
        return cls(
            {blob_name(digest): digest for digest in snapshots.used_digests(session)}
            | {upload_name(dataset, CONTENT): sha256 for dataset, sha256 in uploads.items()},
            frozenset(upload_name(dataset, THUMBNAILS) for dataset in uploads),
        )


def leave_out(database: Database, lost: Collection[str]) -> None:
    """Take out of a copy what names these files, which are not there: snapshots, projections and
    data sets as rows, checkpoints as a run's memory of one, so that it starts over."""
    blobs = {name.removeprefix(blob_name("")) for name in lost}
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
        for dataset in session.exec(select(Dataset)).all():
            if upload_name(dataset.id, CONTENT) in lost:
                session.delete(dataset)
