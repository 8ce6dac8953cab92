"""Why queued runs whose loss is a plug-in do not start: no living slot has it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select

from backend.db.models import Comparison, Run
from backend.plugins.repository import NO_PLUGIN, names_of
from contract.comparison.loss import PLUGIN

_SHORT = 8
"""Digits of a digest that are shown."""


def missing_losses(
    session: Session, runs: Sequence[Run], offered: Mapping[str, frozenset[str]]
) -> dict[str, str]:
    """Return for each of these runs that waits for a plug-in what it waits for, for people.

    Args:
        session: to read with.
        runs: that are queued.
        offered: digests of the plug-ins of each living slot, by its name.
    """
    there = frozenset().union(*offered.values())
    lacking = [run for run in runs if run.loss_digest not in {NO_PLUGIN, *there}]
    if not lacking:
        return {}
    wanted = {run.comparison_id for run in lacking}
    specs = {
        one.id: one.spec
        for one in session.exec(select(Comparison).where(col(Comparison.id).in_(wanted)))
    }
    now_offered = set(names_of(session, there).values())
    return {
        run.id: _said(_loss_name(specs[run.comparison_id], run.arm), run.loss_digest, now_offered)
        for run in lacking
    }


def _said(name: str, digest: str, now_offered: set[str]) -> str:
    if name in now_offered:
        return (
            f"waits for a worker with {name} of version {digest[:_SHORT]}; the workers have "
            "another one now, which a cancel and a retry take"
        )
    return f"waits for a worker with {name}; none is available"


def _loss_name(spec: Mapping[str, Any], arm: str) -> str:
    losses = [one["loss"] for one in spec["arms"] if one["name"] == arm]
    found = next((loss for loss in losses if loss.get("kind") == PLUGIN), {"name": "its loss"})
    return str(found["name"])
