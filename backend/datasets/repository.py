"""Uploaded data sets: keep, find, delete."""

from sqlmodel import Session, col, select

from backend.db.database import Write
from backend.db.models import Comparison, Dataset
from backend.errors import ConflictError, NotFoundError

_NAMED = 3
"""Comparisons that a refusal names; further ones are counted."""


def find(session: Session, dataset: str) -> Dataset | None:
    """One data set, if there is one of that id."""
    return session.get(Dataset, dataset)


def get(session: Session, dataset: str) -> Dataset:
    """One data set.

    Raises:
        NotFoundError: there is none of that id.
    """
    found = find(session, dataset)
    if found is None:
        raise NotFoundError(f"there is no data set {dataset!r}")
    return found


def listed(session: Session) -> list[Dataset]:
    """All data sets, newest first."""
    newest = select(Dataset).order_by(col(Dataset.created_at).desc(), col(Dataset.id))
    return list(session.exec(newest).all())


def put(write: Write, dataset: Dataset) -> None:
    """Store a new data set."""
    write.session.add(dataset)
    write.session.flush()


def remove(write: Write, dataset: str) -> None:
    """Delete a data set's row.

    Raises:
        NotFoundError: there is none of that id.
        ConflictError: comparisons are made of it; names them.
    """
    found = get(write.session, dataset)
    users = _users(write.session, dataset)
    if users:
        shown = ", ".join(f"{user.name!r} ({user.id})" for user in users[:_NAMED])
        more = f" and {len(users) - _NAMED} more" if len(users) > _NAMED else ""
        raise ConflictError(
            f"{found.name!r} is the data of {shown}{more}; delete the comparisons first, for their "
            "runs may need it again"
        )
    write.session.delete(found)


def _users(session: Session, dataset: str) -> list[Comparison]:
    """Comparisons whose spec names the data set, oldest first."""
    named = col(Comparison.spec)[("data", "dataset")].as_string()
    users = select(Comparison).where(named == dataset).order_by(col(Comparison.created_at))
    return list(session.exec(users).all())
