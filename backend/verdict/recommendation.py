"""One sentence on top of a verdict: which arm to use here, for what, with what reservation."""

from collections.abc import Mapping, Sequence
from typing import Final

from backend.verdict.schemas import ClaimOut, Pair

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
