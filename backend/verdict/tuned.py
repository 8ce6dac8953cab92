"""What a verdict says about the search that gave the arms their settings.

Pure functions.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic import ValidationError

from backend.verdict.schemas import Tuned
from backend.verdict.wording import listed
from contract.comparison.differences import iterate_settings, setting_words
from contract.comparison.spec import Arm, ComparisonSpec
from contract.comparison.tuning import Choices, Range, Space, value_at
from contract.metrics import METRICS
from contract.tuning.specs import with_params

EDGE_SHARE: Final = 0.03
"""Of a range, on its own scale: a best value so near to an end counts as at the edge. Of 24 trials
whose value rises up to the end of a range, the best lies so near in every second search; where a
setting does not matter, in one of sixteen."""
_BEYOND: Final = 1.01
"""By this factor of its end, or this share of its width, a range is tried to be widened."""


def tuned_out(spec: ComparisonSpec) -> Tuned | None:
    """Return the budget that every arm had; None for a comparison that is not tuned."""
    tuning = spec.tuning
    if tuning is None:
        return None
    return Tuned(
        trials=tuning.trials,
        objective=tuning.objective,
        sampler=tuning.sampler,
        folds=tuning.folds,
    )


def searched(spec: ComparisonSpec, arms: Sequence[str]) -> set[str]:
    """Return the paths of the settings that the search has set in one of these arms: those that it
    searches, and with several folds the epochs, at which the final runs stop as the folds say; none
    without a tuning."""
    if spec.tuning is None:
        return set()
    epochs = {"training.epochs"} if spec.tuning.folds > 1 else set()
    return epochs.union(*(spec.arm(name).search for name in arms))


def budget_caveat(spec: ComparisonSpec) -> str:
    """Return how the arms came by their settings, and what that means."""
    tuning = spec.tuning
    if tuning is None:
        return (
            "Margins and other settings were given, not tuned: with others a verdict may turn out "
            "otherwise."
        )
    metric = METRICS.get(tuning.objective)
    name = tuning.objective if metric is None else metric.label
    folds = f", mean over {tuning.folds} folds" if tuning.folds > 1 else ""
    trials = "its only trial" if tuning.trials == 1 else f"the best of {tuning.trials} trials"
    return (
        f"Each arm has the settings of {trials} by {name} on validation data{folds}: with more "
        "trials, or over other ranges, a verdict may turn out otherwise."
    )


def range_caveats(spec: ComparisonSpec, arms: Sequence[str]) -> list[str]:
    """Name the settings that two arms have in common and searched over different ranges.

    A setting that has the same path in two losses but another meaning is not in common, such as the
    margin of ArcFace, an angle, and that of a distance.
    """
    if spec.tuning is None:
        return []
    found: dict[tuple[str, str], dict[str, Space | None]] = {}
    for name in arms:
        arm = spec.arm(name)
        for path, meaning in _settings(spec, arm):
            found.setdefault((path, meaning), {})[name] = arm.search.get(path)
    said = [
        f"{setting_words(path, title)} "
        f"({'; '.join(f'{arm}: {_space_text(space)}' for arm, space in spaces.items())})"
        for (path, title), spaces in found.items()
        if len({repr(space) for space in spaces.values()}) > 1
    ]
    return [f"The arms were searched over different ranges: {'; '.join(said)}."] if said else []


def edge_caveats(spec: ComparisonSpec, arms: Sequence[str]) -> list[str]:
    """Name the best settings at an end of their ranges, unless the setting ends there itself.

    Args:
        spec: whose arms have their best settings.
        arms: names of those that have final runs.
    """
    if spec.tuning is None:
        return []
    sentences = []
    for arm in map(spec.arm, arms):
        titles = dict(_settings(spec, arm))
        at_edge = [
            f"its best {setting_words(path, titles.get(path, path))} {_number(value)} "
            f"is at the edge of {_space_text(space)}"
            for path, space in arm.search.items()
            if isinstance(space, Range)
            and (value := _value(spec, arm, path)) is not None
            and any(_takes(spec, arm, path, beyond) for beyond in _beyond(space, value))
        ]
        if at_edge:
            it = "it" if len(at_edge) == 1 else "them"
            sentences.append(
                f"The search of {arm.name} may be too narrow: {listed(at_edge)}; widen {it}."
            )
    return sentences


def _settings(spec: ComparisonSpec, arm: Arm) -> Iterator[tuple[str, str]]:
    """Yield path and meaning of the settings of an arm that a search can vary."""
    for path, meaning, _ in iterate_settings("loss", arm.loss, arm.loss.kind):
        yield path, meaning
    for path, meaning, _ in iterate_settings("training", spec.training_of(arm), arm.loss.kind):
        yield path, meaning


def _value(spec: ComparisonSpec, arm: Arm, path: str) -> float | None:
    settings = {"loss": arm.loss.model_dump(), "training": spec.training_of(arm).model_dump()}
    try:
        value: Any = value_at(settings, path)
    except KeyError:
        return None  # another kind of optimiser or sampler has it
    return float(value) if isinstance(value, int | float) else None


def _beyond(space: Range, value: float) -> tuple[float, ...]:
    """Return values just outside of the end of a range that a value is at, a whole one too; none
    where it is at no end."""
    if space.log and value <= 0:
        return ()
    width = space.high / space.low if space.log else space.high - space.low
    near = width**EDGE_SHARE if space.log else width * EDGE_SHARE
    step = (_BEYOND - 1) * width
    if value <= (space.low * near if space.log else space.low + near):
        lower = space.low / _BEYOND if space.log else space.low - step
        return lower, math.floor(lower)
    if value >= (space.high / near if space.log else space.high - near):
        higher = space.high * _BEYOND if space.log else space.high + step
        return higher, math.ceil(higher)
    return ()


def _takes(spec: ComparisonSpec, arm: Arm, path: str, value: float) -> bool:
    """Return whether an arm can have a value."""
    try:
        with_params(spec, arm, {path: value})
    except ValidationError:
        return False
    return True


def _space_text(space: Space | None) -> str:
    if space is None:
        return "not searched"
    if isinstance(space, Choices):
        return ", ".join(str(one) for one in space.choices)
    return f"{_number(space.low)} to {_number(space.high)}{' (log)' if space.log else ''}"


def _number(value: float) -> str:
    return f"{value:.3g}"
