"""What a reader of a verdict has to know besides; pure functions.

What a reader of a verdict has to know besides; pure functions.

One sentence on top of a verdict: which arm to use here, for what, with what reservation.
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


AIMS: Final[Mapping[int, str]] = {
    8: "retrieval",
    7: "classification",
    9: "keeping detail within classes",
}
"""What embeddings are used for -> the claim that tells which arm serves it better: supported means
the one in the triplet loss's place."""
FEW: Final = 6
"""Seeds below which the sign-flip test cannot reach 0.05."""


def advice(claims: Sequence[ClaimOut], arms: Pair, seeds: int, differing: Sequence[str]) -> str:
    """The sentence, in plain words.

    Args:
        claims: judged.
        arms: the two that were judged.
        seeds: at which the runs of both have succeeded; at least one.
        differing: settings besides the loss in which the arms differ.
    """
    by_id = {claim.id: claim for claim in claims}
    better: dict[str, list[str]] = {arms.b: [], arms.a: []}
    level: list[str] = []
    for claim_id, aim in AIMS.items():
        word = by_id[claim_id].verdict
        if word == "supported":
            better[arms.b].append(aim)
        elif word == "contradicted":
            better[arms.a].append(aim)
        elif word == "undecided":
            level.append(aim)
    said = [f"use {arm} for {_listed(aims)}" for arm, aims in better.items() if aims]
    if level:
        said.append(f"for {_listed(level)} these runs do not tell the two apart")
    if not said:
        said = ["these runs measured nothing that says which arm to use"]
    sentence = "; ".join(said)
    return f"{sentence[0].upper()}{sentence[1:]}. {_reservation(seeds, differing)}"


def _reservation(seeds: int, differing: Sequence[str]) -> str:
    parts = []
    if seeds < FEW:
        parts.append(f"{seeds} seed{' is' if seeds == 1 else 's are'} few")
    parts.append("margins were given, not tuned")
    if differing:
        parts.append(f"the arms also differ in {_listed(differing)}")
    return f"Mind that {_listed(parts)}."


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
