"""States of runs that say whether they train, as texts of the pages, the report and the commands.

The live component has the same names in `frontend/live/js/states.js`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from frontend.api.types import Run, RunState

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


def state_names(states: Iterable[RunState]) -> str:
    """Return the names of states, separated by commas; empty without any."""
    return ", ".join(NAMES.get(one["state"], one["state"]) for one in states)


def warned(runs: Sequence[Run]) -> list[Warned]:
    """Return the states that any of these runs is in, the most serious first."""
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
