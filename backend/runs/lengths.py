"""How long runs take: as finished runs of the same comparison did; else at the pace of those under
way; else as runs of earlier comparisons that are like it. Unknown where there are none.

A length is in seconds of a slot: a run that was trained together with others counts with its share.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Float, func
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from backend.db.models import Comparison, Run
from backend.runs import earlier, progress
from backend.runs.earlier import MOST_ALIKE, ArmSetup
from backend.runs.search_progress import FINAL_TO_TRIAL

Basis = Literal["siblings", "pace", "earlier"]
"""What a length is known from: finished runs of the comparison, the pace of those under way, or
earlier comparisons on the same data with the same networks and batches."""
ANY_ARM: Final = ""


@dataclass(frozen=True)
class Length:
    """How long a run takes from its start to its end."""

    seconds: float
    basis: Basis


@dataclass
class Taken:
    """Sums over runs of one arm and role."""

    runs: float = 0.0
    seconds: float = 0.0
    epochs: float = 0.0
    """0 if they are not known."""

    def add(self, other: "Taken") -> None:
        """Add the runs of others."""
        self.runs += other.runs
        self.seconds += other.seconds
        self.epochs += other.epochs


Pool = Mapping[tuple[str, str], Taken]
"""Arm and role -> its runs."""


class Lengths:
    """The lengths of a comparison's runs."""

    def __init__(self, epochs: Mapping[str, int | None], pools: Mapping[Basis, Pool]) -> None:
        """Args:
        epochs: of each arm.
        pools: runs that lengths are known from, the best basis first.
        """
        self._epochs = epochs
        self._pools = pools
        self._known: dict[tuple[str, str], Length | None] = {}

    def of(self, arm: str, role: str) -> Length | None:
        """Return the length of a run of an arm; None if it is not known.

        Of `ANY_ARM` it is the mean over all arms.
        """
        key = arm, role
        if key not in self._known:
            found = (
                (basis, _length(pool, arm, role, self._epochs.get(arm)))
                for basis, pool in self._pools.items()
            )
            self._known[key] = next(
                (Length(seconds, basis) for basis, seconds in found if seconds is not None), None
            )
        return self._known[key]

    def seconds(self, arm: str, role: str) -> float | None:
        """Return the length of a run of an arm in seconds; None if it is not known."""
        found = self.of(arm, role)
        return None if found is None else found.seconds

    @property
    def means(self) -> dict[str, float | None]:
        """The mean length of a run by its role, in seconds; None where it is not known."""
        return {role: self.seconds(ANY_ARM, role) for role in ("trial", "final")}

    def remaining_s(self, run: Run, now: float) -> float | None:
        """Return the seconds until a running run is over; None if it is not known, or not
        running."""
        found = self.of(run.arm, run.role)
        known = None if found is None or found.basis == "pace" else found.seconds
        return progress.remaining_s(run, known, now)


UNKNOWN: Final = Lengths({}, {})
"""Of a comparison of which nothing is known."""


def _length(pool: Pool, arm: str, role: str, epochs: int | None) -> float | None:
    own = pool.get((arm, role))
    if own is not None and own.runs:
        return own.seconds / own.runs
    other = "final" if role == "trial" else "trial"
    factor = FINAL_TO_TRIAL if role == "final" else 1 / FINAL_TO_TRIAL
    for wanted, times in ((role, 1.0), (other, factor)):
        of_role = Taken()
        for (_, its_role), taken in pool.items():
            if its_role == wanted:
                of_role.add(taken)
        if not of_role.runs:
            continue
        if epochs and of_role.epochs:
            return times * epochs * of_role.seconds / of_role.epochs
        return times * of_role.seconds / of_role.runs
    return None


def read_lengths(
    session: Session, specs: Mapping[str, Mapping[str, Any]], now: float
) -> dict[str, Lengths]:
    """Return the lengths of the runs of these comparisons.

    Args:
        session: to read with.
        specs: id of each comparison -> its spec, as it is stored.
        now: seconds since the epoch.
    """
    if not specs:
        return {}
    setups = {comparison: earlier.arm_setups(spec) for comparison, spec in specs.items()}
    finished = _finished(session, specs)
    under_way = _under_way(session, [one for one in specs if not finished.get(one)], now)
    # Only where the comparison itself has nothing to say.
    lacking = {
        one: setups[one] for one in specs if not finished.get(one) and not under_way.get(one)
    }
    before = _earlier(session, lacking) if lacking else {}
    return {
        comparison: Lengths(
            {one.name: one.epochs for one in setups[comparison]},
            {
                "siblings": finished.get(comparison, {}),
                "pace": under_way.get(comparison, {}),
                "earlier": before.get(comparison, {}),
            },
        )
        for comparison in specs
    }


def lengths_of(session: Session, comparison: str, now: float) -> Lengths:
    """Return the lengths of the runs of one comparison; nothing is known of one that is gone."""
    found = session.get(Comparison, comparison)
    return (
        UNKNOWN
        if found is None
        else read_lengths(session, {comparison: found.spec}, now)[comparison]
    )


def lengths_like(
    session: Session, spec: Mapping[str, Any], devices: Collection[str] = ()
) -> Lengths:
    """Return the lengths of the runs that a spec would make, from earlier comparisons.

    Args:
        session: to read with.
        spec: in full.
        devices: device classes that may take its runs; empty for any.
    """
    setups = earlier.arm_setups(spec)
    found = _earlier(session, {ANY_ARM: setups}, devices).get(ANY_ARM, {})
    return Lengths({one.name: one.epochs for one in setups}, {"earlier": found})


def _finished(
    session: Session, comparisons: Iterable[str], devices: Collection[str] = ()
) -> dict[str, dict[tuple[str, str], Taken]]:
    """Return the succeeded runs of comparisons by comparison, arm and role."""
    total = func.cast(col(Run.total_steps), Float)
    # An attempt that went on from a checkpoint took the steps behind it.
    whole = total / func.nullif(total - col(Run.resumed_at), 0.0)
    share = 1.0 / func.cast(func.coalesce(Run.shared, 1), Float)
    seconds = (col(Run.ended_at) - col(Run.started_at)) * share * whole
    epochs = total / func.nullif(func.cast(col(Run.steps_per_epoch), Float), 0.0)
    where = [
        col(Run.comparison_id).in_(list(comparisons)),
        col(Run.state) == "succeeded",
        col(Run.started_at).is_not(None),
        col(Run.ended_at).is_not(None),
        col(Run.total_steps) > 0,
    ]
    if len(set(devices)) == 1:
        on_cpu = col(Run.device) == "cpu"
        where.append(on_cpu if "cpu" in devices else ~on_cpu)
    place = (col(Run.comparison_id), col(Run.arm), col(Run.role))
    rows = session.connection().execute(
        columns(
            *place,
            func.count(seconds),
            func.coalesce(func.sum(seconds), 0.0),
            func.coalesce(func.sum(epochs), 0.0),
        )
        .where(*where)
        .group_by(*place)
    )
    found: defaultdict[str, dict[tuple[str, str], Taken]] = defaultdict(dict)
    for comparison, arm, role, runs, took, trained in rows:
        if runs:  # the clock may have been set back meanwhile
            found[comparison][arm, role] = Taken(
                runs, max(0.0, float(took or 0)), float(trained or 0)
            )
    return found


def _under_way(
    session: Session, comparisons: Collection[str], now: float
) -> dict[str, dict[tuple[str, str], Taken]]:
    """Return running runs that have got far enough, as if they were over, in the same form."""
    running = select(Run).where(
        col(Run.comparison_id).in_(comparisons), col(Run.state) == "running"
    )
    found: defaultdict[str, dict[tuple[str, str], Taken]] = defaultdict(dict)
    for run in session.exec(running) if comparisons else ():
        whole = progress.paced_s(run, now)
        if whole is None:
            continue
        epochs = run.total_steps / run.steps_per_epoch if run.steps_per_epoch else 0.0
        own = found[run.comparison_id].setdefault((run.arm, run.role), Taken())
        own.add(Taken(1, whole / (run.shared or 1), epochs))
    return found


def _earlier(
    session: Session, wanted: Mapping[str, list[ArmSetup]], devices: Collection[str] = ()
) -> dict[str, dict[tuple[str, str], Taken]]:
    """Return the runs of earlier arms like those of comparisons, under the names of the latter."""
    setups = {setup for own in wanted.values() for setup in own}
    like = earlier.alike(session, setups, but=wanted)
    comparisons = {one for found in like.values() for one, _ in found}
    if not comparisons:
        return {}
    finished = _finished(session, comparisons, devices)
    found: defaultdict[str, dict[tuple[str, str], Taken]] = defaultdict(dict)
    for comparison, own in wanted.items():
        for setup in own:
            for role, taken in _means(setup, like[setup], finished).items():
                found[comparison][setup.name, role] = taken
    return found


def _means(
    setup: ArmSetup,
    like: Iterable[tuple[str, ArmSetup]],
    finished: Mapping[str, Mapping[tuple[str, str], Taken]],
) -> dict[str, Taken]:
    """Return what a run of an arm took in earlier comparisons, scaled to its own epochs."""
    found: dict[str, list[tuple[bool, Taken]]] = {"final": [], "trial": []}
    for comparison, other in like:
        for role, all_of_role in found.items():
            taken = finished.get(comparison, {}).get((other.name, role))
            if taken is not None and len(all_of_role) < MOST_ALIKE:
                all_of_role.append((other.loss == setup.loss, taken))
    means: dict[str, Taken] = {}
    for role, all_of_role in found.items():
        same_loss = [taken for same, taken in all_of_role if same]
        total = Taken()
        for taken in same_loss or [taken for _, taken in all_of_role]:
            total.add(taken)
        if not total.runs:
            continue
        epochs = total.epochs / total.runs
        scale = setup.epochs / epochs if setup.epochs and epochs else 1.0
        means[role] = Taken(1, scale * total.seconds / total.runs, setup.epochs or 0)
    return means
