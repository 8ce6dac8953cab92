"""Plug-ins in the database: what each worker has reported, and the digest that a run needs.

Rows are kept when a worker goes or reports something else: what was ever reported can be submitted
and named.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from sqlmodel import Session, col, select

from backend.db.database import Write
from backend.db.models import Plugin
from contract.comparison.loss import PLUGIN
from contract.comparison.plugins import PluginEntry

NO_PLUGIN: Final = ""
"""Digest of a run whose loss is one of our own."""


def report(write: Write, worker: str, entries: Sequence[PluginEntry], now: float) -> None:
    """Store what a worker has found; it replaces what that worker reported of the same code.

    What it reported before and does not have any more stays, but is no longer its last word: the
    rows that cannot be used, which name files and folders rather than code, are deleted.
    """
    for row in write.session.exec(select(Plugin).where(Plugin.worker == worker)).all():
        if not row.digest or not row.usable:
            write.session.delete(row)
    write.session.flush()
    for entry in entries:
        write.session.merge(
            Plugin(
                worker=worker,
                name=entry.name,
                digest=entry.digest,
                source=entry.source,
                usable=entry.usable,
                entry=entry.model_dump(mode="json"),
                reported_at=now,
            )
        )


def known(session: Session, names: Collection[str] | None = None) -> dict[str, PluginEntry]:
    """Return what was reported last of each plug-in, by name; usable before unusable, so that one
    worker that lacks a library hides no other's.

    Args:
        session: to read with.
        names: of those wanted; all by default.
    """
    query = select(Plugin).order_by(
        col(Plugin.usable), col(Plugin.reported_at), col(Plugin.worker), col(Plugin.digest)
    )
    if names is not None:
        query = query.where(col(Plugin.name).in_(names))
    found = {}
    for row in session.exec(query).all():  # later rows replace earlier ones
        if (entry := _entry(row)) is not None:
            found[row.name] = entry
    return dict(sorted(found.items()))


def state(session: Session) -> tuple[tuple[str, str, str, float], ...]:
    """Return what identifies the reports as they are now."""
    rows = session.exec(
        select(Plugin.worker, Plugin.name, Plugin.digest, Plugin.reported_at).order_by(
            Plugin.worker, Plugin.name, Plugin.digest
        )
    ).all()
    return tuple((worker, name, digest, at) for worker, name, digest, at in rows)


def digest_for(session: Session, loss: Mapping[str, Any]) -> str:
    """Return the digest that a run with this loss section needs now: the last reported one.

    Empty for a loss of our own, and for a plug-in that is not known any more.
    """
    if loss.get("kind") != PLUGIN:
        return NO_PLUGIN
    entry = known(session, [str(loss["name"])]).get(str(loss["name"]))
    return _unknown_digest(loss) if entry is None or not entry.usable else entry.digest


def digests_of_arms(session: Session, spec: Mapping[str, Any]) -> dict[str, str]:
    """Return the same for each arm of a stored spec, by name."""
    return {arm["name"]: digest_for(session, arm.get("loss", {})) for arm in spec["arms"]}


def names_of(session: Session, digests: Collection[str]) -> dict[str, str]:
    """Return the names of plug-ins by digest."""
    query = select(Plugin.digest, Plugin.name).where(col(Plugin.digest).in_(digests))
    return dict(session.exec(query).all())


def _unknown_digest(loss: Mapping[str, Any]) -> str:
    """Return what no worker can offer, so that the run waits and says for what."""
    return f"unknown:{loss['name']}"[:64]


def _entry(row: Plugin) -> PluginEntry | None:
    try:
        return PluginEntry.model_validate(row.entry)
    except ValidationError:  # reported to another version of the API
        return None
