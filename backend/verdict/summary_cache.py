"""Summaries as JSON, kept while they cannot change: as long as no run of a comparison is open.

The largest ones hold tens of thousands of values, and a page asks for them again and again.
"""

import threading
from typing import Final

from cachetools import LRUCache
from sqlmodel import Session, col, select

from backend.db.models import Comparison, Run
from backend.verdict.summary import summarise

KEPT_BYTES: Final = 64 * 2**20
"""Of all summaries that are kept; those used least recently are dropped first."""
_OPEN: Final = frozenset({"queued", "running"})

Key = tuple[str, str | None, frozenset[tuple[str, str, int]]]


class SummaryCache:
    """The summaries of one API process."""

    def __init__(self) -> None:
        self._kept: LRUCache[Key, bytes] = LRUCache(KEPT_BYTES, getsizeof=len)
        self._lock = threading.Lock()

    def summary_json(self, session: Session, comparison: Comparison, baseline: str | None) -> bytes:
        """Return a comparison's summary as JSON; see `summarise`."""
        key = _key(session, comparison.id, baseline)
        if key is not None:
            with self._lock:
                if (kept := self._kept.get(key)) is not None:
                    return kept
        made = summarise(session, comparison, baseline).model_dump_json().encode()
        if key is not None and len(made) <= KEPT_BYTES:
            with self._lock:
                self._kept[key] = made
        return made


def _key(session: Session, comparison: str, baseline: str | None) -> Key | None:
    """Return what a summary depends on; None if it may still change, as before the final runs of a
    search.

    A run that has ended keeps its values until another attempt begins.
    """
    rows = session.exec(
        select(Run.id, Run.state, Run.attempt).where(
            col(Run.comparison_id) == comparison, col(Run.role) == "final"
        )
    ).all()
    if not rows or any(state in _OPEN for _, state, _ in rows):
        return None
    return comparison, baseline, frozenset((run, state, attempt) for run, state, attempt in rows)
