"""What a reader of a verdict has to know besides; pure functions."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from backend.db.models import Run
from contract.comparison.differences import BATCH_SETTINGS, Difference, differences
from contract.comparison.loss import ACTIVE_EPS
from contract.comparison.spec import ComparisonSpec
from contract.statistics import ENUMERATED_SEEDS, RANDOM_FLIPS, smallest_p

_NOT_SIGNIFICANT_BELOW: Final = 6
"""Seeds; with fewer the sign-flip test cannot reach 0.05."""
_HINGES: Final = {"contrastive", "triplet"}
"""Losses that become exactly 0."""


def caveats(
    spec: ComparisonSpec, arms: tuple[str, str], runs: Iterable[Run], seeds: int
) -> list[str]:
    """Sentences, the gravest first.

    Args:
        spec: the comparison's.
        arms: the two that are judged.
        runs: theirs.
        seeds: at which both arms have succeeded.
    """
    differs = differences(spec, arms)
    return [
        *_left_out(runs),
        *_batches(differs),
        *_differs(differs),
        *_few_or_many(seeds),
        "Nine 95 % intervals are not jointly 95 %: some claim may be decided by chance alone; the "
        "p-values by Holm take that into account.",
        *_activity(spec, arms),
        "Margins and other settings were given, not tuned: with others a verdict may turn out "
        "otherwise.",
    ]


def _left_out(runs: Iterable[Run]) -> list[str]:
    states = Counter(run.state for run in runs)
    total = states.total()
    lost = [f"{states[state]} {state}" for state in ("failed", "cancelled") if states[state]]
    sentences = []
    if open_ := states["queued"] + states["running"]:
        sentences.append(
            f"{open_} of {total} runs {_have(open_)} not finished: the verdict may still change."
        )
    if lost:
        sentences.append(
            f"Of {total} runs {' and '.join(lost)}: their seeds are left out of the comparison."
        )
    return sentences


def _batches(differs: Sequence[Difference]) -> list[str]:
    if any(difference.setting in BATCH_SETTINGS for difference in differs):
        return ["The arms do not see the same batches: their batch size or sampler differs."]
    return []


def _differs(differs: Sequence[Difference]) -> list[str]:
    if not differs:
        return []
    listed = "; ".join(
        f"{difference.setting} ({', '.join(f'{k}: {v}' for k, v in difference.values.items())})"
        for difference in differs
    )
    return [f"The arms differ in more than their loss: {listed}."]


def _few_or_many(seeds: int) -> list[str]:
    if seeds == 1:
        return ["One seed decides nothing: at least two are needed for an interval."]
    if 1 < seeds < _NOT_SIGNIFICANT_BELOW:
        return [f"With {seeds} seeds no p below {smallest_p(seeds):g} can be reached."]
    if seeds > ENUMERATED_SEEDS:
        return [f"The p-values rest on {RANDOM_FLIPS:,} random sign flips, not on all."]
    return []


def _activity(spec: ComparisonSpec, arms: Iterable[str]) -> list[str]:
    soft = [name for name in arms if spec.arm(name).loss.kind not in _HINGES]
    if not soft:
        return []
    return [
        f"The loss of {' and '.join(soft)} is never exactly 0: there a tuple counts as active "
        f"above {ACTIVE_EPS:g}, so active ratios and gradients per active tuple of other losses "
        "are not quite the same thing."
    ]


def _have(number: int) -> str:
    return "has" if number == 1 else "have"
