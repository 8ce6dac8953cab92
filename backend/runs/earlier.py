"""Arms of earlier comparisons that trained on the same data with the same networks and batches, so
that their runs took about as long."""

import hashlib
import json
import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlmodel import Session, col, select

from backend.db.models import Comparison
from contract.comparison.loss import stored_loss_name

RECENT: Final = 300
"""Comparisons among which those that are alike are looked for, the newest first."""
MOST_ALIKE: Final = 8
"""Arms that an estimate is made from."""
_SECTIONS: Final = ("data", "encoder", "visual_encoder", "measure")
_FREE: Final = ("epochs", "optimizer", "device")
"""Training settings that leave the time of a step as it is, but for the optimiser's kind."""


@dataclass(frozen=True)
class ArmSetup:
    """What the time of an arm's runs depends on."""

    name: str
    loss: str
    """Kind of its loss."""
    key: str
    """Equal for arms whose epochs take about as long."""
    epochs: int | None


def arm_setups(spec: Mapping[str, Any]) -> list[ArmSetup]:
    """Return the arms of a spec, as it is stored; of one that cannot be read in this way none."""
    try:
        return [_setup(spec, arm) for arm in spec["arms"]]
    except (KeyError, TypeError, AttributeError):  # of a version with another form
        return []


def _setup(spec: Mapping[str, Any], arm: Mapping[str, Any]) -> ArmSetup:
    own = {key: value for key, value in (arm.get("training") or {}).items() if value is not None}
    training = {**(spec.get("training") or {}), **own}
    sections = {name: spec.get(name) for name in _SECTIONS}
    # Another seed draws other items, as many as before.
    sections["data"] = {key: one for key, one in spec["data"].items() if key != "seed"}
    sections["training"] = {key: one for key, one in training.items() if key not in _FREE}
    sections["optimizer"] = (training.get("optimizer") or {}).get("kind")
    text = json.dumps(sections, sort_keys=True)
    key = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    return ArmSetup(str(arm["name"]), stored_loss_name(arm["loss"]), key, training.get("epochs"))


class _Known:
    """The arms of comparisons, read once: what they are trained by never changes."""

    def __init__(self) -> None:
        self._setups: dict[str, list[ArmSetup]] = {}
        self._lock = threading.Lock()

    def read(self, session: Session) -> dict[str, list[ArmSetup]]:
        """Return the arms of the newest comparisons, the newest first."""
        newest = (
            select(Comparison.id)
            .order_by(col(Comparison.created_at).desc(), col(Comparison.id))
            .limit(RECENT)
        )
        ids = list(session.exec(newest))
        with self._lock:
            missing = [one for one in ids if one not in self._setups]
        rows: list[tuple[str, dict[str, Any]]] = []
        if missing:
            wanted = select(Comparison).where(col(Comparison.id).in_(missing))
            rows = [(one.id, one.spec) for one in session.exec(wanted)]
        read = {comparison: arm_setups(spec) for comparison, spec in rows}
        with self._lock:
            self._setups |= read
            found = {one: self._setups[one] for one in ids if one in self._setups}
            if len(self._setups) > 4 * RECENT:
                self._setups = dict(found)
        return found


_KNOWN: Final = _Known()


def alike(
    session: Session, wanted: Collection[ArmSetup], *, but: Iterable[str] = ()
) -> dict[ArmSetup, list[tuple[str, ArmSetup]]]:
    """Return for each of these arms those of earlier comparisons that are like it, with the id of
    their comparison: the newest first, and before all others those with the same kind of loss.

    Args:
        session: to read with.
        wanted: the arms.
        but: comparisons that are left out.
    """
    left_out = set(but)
    by_key: dict[str, list[tuple[str, ArmSetup]]] = {one.key: [] for one in wanted}
    for comparison, setups in _KNOWN.read(session).items():
        for setup in setups if comparison not in left_out else ():
            if setup.key in by_key:
                by_key[setup.key].append((comparison, setup))
    return {one: _same_loss_first(by_key[one.key], one.loss) for one in wanted}


def _same_loss_first(found: list[tuple[str, ArmSetup]], loss: str) -> list[tuple[str, ArmSetup]]:
    return sorted(found, key=lambda one: one[1].loss != loss)
