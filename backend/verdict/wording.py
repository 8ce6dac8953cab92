"""Sentences of a verdict: its caveats, and the advice which arm to use for what.

Pure functions.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from backend.db.models import Run
from backend.verdict.schemas import ClaimOut, Pair
from contract.comparison.differences import BATCH_SETTINGS, Difference, differences
from contract.comparison.loss import ACTIVE_EPS
from contract.comparison.spec import ComparisonSpec
from contract.statistics import ENUMERATED_SEEDS, RANDOM_FLIPS, smallest_p

MIN_SEEDS: Final = 6
"""With fewer seeds the sign-flip test cannot reach 0.05."""
USES_BY_CLAIM: Final[Mapping[int, str]] = {
    8: "retrieval",
    7: "classification",
    9: "keeping detail within classes",
}
"""Claim -> the use of embeddings that it decides.

If the claim is supported, the arm in the triplet loss's place serves this use better.
"""
_EXACTLY_ZERO_LOSSES: Final = {"contrastive", "triplet"}
"""Losses that become exactly 0."""


def advice(claims: Sequence[ClaimOut], arms: Pair, seeds: int, differing: Sequence[str]) -> str:
    """Return which arm to use for what, and with what reservation, in one or two sentences.

    Args:
        claims: the judged claims.
        arms: the two that were judged.
        seeds: seeds at which the runs of both arms have succeeded; at least one.
        differing: settings, apart from the loss, in which the arms differ.
    """
    by_id = {claim.id: claim for claim in claims}
    better: dict[str, list[str]] = {arms.b: [], arms.a: []}
    undecided: list[str] = []
    for claim_id, use in USES_BY_CLAIM.items():
        decision = by_id[claim_id].verdict
        if decision == "supported":
            better[arms.b].append(use)
        elif decision == "contradicted":
            better[arms.a].append(use)
        elif decision == "undecided":
            undecided.append(use)
    parts = [f"use {arm} for {_listed(uses)}" for arm, uses in better.items() if uses]
    if undecided:
        parts.append(f"for {_listed(undecided)} these runs do not tell the two apart")
    if not parts:
        parts = ["these runs measured nothing that says which arm to use"]
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}. {_reservation(seeds, differing)}"


def caveats(
    spec: ComparisonSpec, arms: tuple[str, str], runs: Iterable[Run], seeds: int
) -> list[str]:
    """Return what limits a verdict, as sentences, the most serious first.

    Args:
        spec: the comparison's spec.
        arms: the two arms that are judged.
        runs: the runs of these two arms.
        seeds: seeds at which the runs of both arms have succeeded.
    """
    differs = differences(spec, arms)
    return [
        *_missing_runs(runs),
        *_different_batches(differs),
        *_differing_settings(differs),
        *_number_of_seeds(seeds),
        "Nine 95 % intervals are not jointly 95 %: some claim may be decided by chance alone; the "
        "p-values by Holm take that into account.",
        *_never_zero_losses(spec, arms),
        "Margins and other settings were given, not tuned: with others a verdict may turn out "
        "otherwise.",
    ]


def _missing_runs(runs: Iterable[Run]) -> list[str]:
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


def _different_batches(differs: Sequence[Difference]) -> list[str]:
    if any(difference.setting in BATCH_SETTINGS for difference in differs):
        return ["The arms do not see the same batches: their batch size or sampler differs."]
    return []


def _differing_settings(differs: Sequence[Difference]) -> list[str]:
    if not differs:
        return []
    listed = "; ".join(
        f"{difference.setting} ({', '.join(f'{k}: {v}' for k, v in difference.values.items())})"
        for difference in differs
    )
    return [f"The arms differ in more than their loss: {listed}."]


def _number_of_seeds(seeds: int) -> list[str]:
    if seeds == 1:
        return ["One seed decides nothing: at least two are needed for an interval."]
    if 1 < seeds < MIN_SEEDS:
        return [f"With {seeds} seeds no p below {smallest_p(seeds):g} can be reached."]
    if seeds > ENUMERATED_SEEDS:
        return [f"The p-values rest on {RANDOM_FLIPS:,} random sign flips, not on all."]
    return []


def _never_zero_losses(spec: ComparisonSpec, arms: Iterable[str]) -> list[str]:
    soft = [name for name in arms if spec.arm(name).loss.kind not in _EXACTLY_ZERO_LOSSES]
    if not soft:
        return []
    return [
        f"The loss of {' and '.join(soft)} is never exactly 0: there a tuple counts as active "
        f"above {ACTIVE_EPS:g}, so active ratios and gradients per active tuple of other losses "
        "are not quite the same thing."
    ]


def _have(number: int) -> str:
    return "has" if number == 1 else "have"


def _reservation(seeds: int, differing: Sequence[str]) -> str:
    parts = []
    if seeds < MIN_SEEDS:
        parts.append(f"{seeds} seed{' is' if seeds == 1 else 's are'} few")
    parts.append("margins were given, not tuned")
    if differing:
        parts.append(f"the arms also differ in {_listed(differing)}")
    return f"Mind that {_listed(parts)}."


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
