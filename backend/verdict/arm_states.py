"""Whether the arms were trained: the states that their ended runs are in.

Pure functions.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from backend.db.models import Run
from backend.verdict.schemas import ArmStateOut
from backend.verdict.wording import named
from contract.metrics.states import NOT_TRAINED, State

SAID: Final[Mapping[State, str]] = {
    "no_valid_tuple": "had no valid tuple at any step",
    "collapsed": "collapsed to a space without differences",
    "overflow": "ended with embeddings too large for float32",
    "below_backbone": "ended worse than the raw backbone",
    "below_untrained": "ended worse than the untrained network",
}
"""State -> what runs in it did, the most serious first."""
_ENDED: Final = ("succeeded", "failed")


def arm_states(arms: Sequence[str], runs: Iterable[Run]) -> list[ArmStateOut]:
    """Return every state that a run of these arms is in, the most serious first for each arm.

    An arm was not trained if more than half of its ended runs are in one of NOT_TRAINED.
    """
    ended: dict[str, list[Run]] = {arm: [] for arm in arms}
    for run in runs:
        if run.arm in ended and run.state in _ENDED:
            ended[run.arm].append(run)
    return [one for arm, own in ended.items() for one in _of_arm(arm, own)]


def reasons_not_trained(states: Iterable[ArmStateOut]) -> list[str]:
    """Return a sentence for each state for which an arm's embeddings are not judged."""
    return [one.said for one in states if one.not_trained]


def states_not_trained(states: Iterable[ArmStateOut]) -> dict[str, State]:
    """Return the most serious state of each arm that was not trained."""
    found: dict[str, State] = {}
    for one in states:
        if one.not_trained:
            found.setdefault(one.arm, one.state)
    return found


def _of_arm(arm: str, ended: Sequence[Run]) -> list[ArmStateOut]:
    found = [{one["state"] for one in run.states} for run in ended]
    lost = sum(not own.isdisjoint(NOT_TRAINED) for own in found)
    counts = {state: sum(state in own for own in found) for state in SAID}
    return [
        ArmStateOut(
            arm=arm,
            state=state,
            runs=count,
            of=len(ended),
            not_trained=state in NOT_TRAINED and 2 * lost > len(ended),
            said=f"{named(arm)} {SAID[state]} in {count} of {len(ended)} "
            f"{'run' if len(ended) == 1 else 'runs'}.",
        )
        for state, count in counts.items()
        if count
    ]
