"""States of runs that say whether they train, as texts of the pages, the report and the commands.

The live component has the same names in `frontend/live/js/states.js`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from frontend.api.types import ArmRun, RunState

NAMES: Final = {
    "overflow": "overflow",
    "no_valid_tuple": "no valid tuple",
    "collapsed": "collapsed",
    "below_untrained": "below the untrained network",
    "below_backbone": "below the raw backbone",
}
"""State -> its name, the most serious first."""
NOT_TRAINED: Final = ("overflow", "no_valid_tuple", "collapsed")
"""The states in which a run's embeddings say nothing about its loss."""


@dataclass(frozen=True)
class Warned:
    """One state, and the runs that are in it."""

    state: str
    name: str
    serious: bool
    """Whether such runs were not trained at all."""
    arms: str
    """As "a in 2 of 3 runs, b in 1 of 3 runs"."""
    message: str
    """What the first of these runs says, with its arm and seed."""

    @property
    def sign(self) -> str:
        """The sign before the name."""
        return sign(self.state)


def state_names(states: Iterable[RunState]) -> str:
    """Return the names of states with their signs, separated by commas; empty without any."""
    return ", ".join(
        f"{sign(one['state'])} {NAMES.get(one['state'], one['state'])}" for one in states
    )


def sign(state: str) -> str:
    """Return the sign of a state: of one in which a run was not trained, or of another."""
    return "⚠" if state in NOT_TRAINED else "↓"


def arm_marks(runs: Sequence[ArmRun]) -> str:
    """Return how many runs of one arm are in which states, "⚠ collapsed in 2 of 3"; "" for none."""
    begun = sum(run["state"] != "queued" for run in runs)
    counts = {
        state: sum(one["state"] == state for run in runs for one in run["states"])
        for state in NAMES
    }
    return ", ".join(
        f"{sign(state)} {NAMES[state]} in {count} of {begun}"
        for state, count in counts.items()
        if count
    )


def warned(runs: Sequence[Mapping[str, Any]]) -> list[Warned]:
    """Return the states that any of these runs is in, the most serious first.

    Args:
        runs: each with its `arm`, `seed`, `state` and `states`.
    """
    begun: dict[str, int] = {}
    for run in runs:
        begun[run["arm"]] = begun.get(run["arm"], 0) + (run["state"] != "queued")
    found = []
    for state, name in NAMES.items():
        inside = [
            (run, one["message"]) for run in runs for one in run["states"] if one["state"] == state
        ]
        if not inside:
            continue
        counts: dict[str, int] = {}
        for run, _ in inside:
            counts[run["arm"]] = counts.get(run["arm"], 0) + 1
        arms = ", ".join(
            f"{arm} in {count} of {begun[arm]} run{'' if begun[arm] == 1 else 's'}"
            for arm, count in counts.items()
        )
        first, message = inside[0]
        said = f"{first['arm']}, seed {first['seed']}: {message}"
        found.append(Warned(state, name, state in NOT_TRAINED, arms, said))
    return found
