"""Sentences of a verdict: its summary, its rule, and the advice which arm to use for what.

Pure functions.
"""

from collections.abc import Mapping, Sequence
from typing import Final, get_args

from backend.verdict.reasons import WORDS
from backend.verdict.schemas import ClaimOut, Pair
from contract.comparison.replication import (
    ReplicationKind,
    replicate_noun,
    replicates_text,
)
from contract.statistics import ALPHA, FEWEST, Word

FEW: Final = 6
"""With fewer the advice has a reservation: the sign-flip test cannot reach 0.05."""
USES_BY_CLAIM: Final[Mapping[int, str]] = {
    8: "retrieval",
    7: "classification",
    9: "keeping detail within classes",
}
"""Claim -> the use of embeddings that it decides.

If the claim is supported, the arm in the triplet loss's place serves this use better.
"""


def advice(
    claims: Sequence[ClaimOut],
    arms: Pair,
    noun: str,
    n: int,
    *,
    differing: Sequence[str] = (),
    not_trained: Sequence[str] = (),
) -> str:
    """Return which arm to use for what, and with what reservation, in a few sentences.

    Args:
        claims: the judged claims.
        arms: the two that were judged.
        noun: what one replicate is called.
        n: number of pairs; at least one.
        differing: settings, apart from the loss, in which the arms differ.
        not_trained: why an arm's embeddings are not judged, as sentences.
    """
    if not_trained:
        return f"{' '.join(not_trained)} So these runs do not say which arm to use."
    by_id = {claim.id: claim for claim in claims}
    uses: dict[Word, list[str]] = {}
    for claim_id, use in USES_BY_CLAIM.items():
        uses.setdefault(by_id[claim_id].verdict, []).append(use)
    patterns: list[tuple[Word, str]] = [
        ("supported", f"use {arms.b} for {{}}"),
        ("contradicted", f"use {arms.a} for {{}}"),
        ("level", "for {} either will do"),
        ("leaning_for", f"for {{}} these runs lean towards {arms.b}"),
        ("leaning_against", f"for {{}} these runs lean towards {arms.a}"),
        ("undecided", "for {} these runs do not tell the two apart"),
    ]
    parts = [said.format(listed(uses[word])) for word, said in patterns if word in uses]
    if not parts:
        parts = ["these runs measured nothing that says which arm to use"]
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}. {_reservation(noun, n, differing)}"


def summary_sentence(
    claims: Sequence[ClaimOut], kind: ReplicationKind, pairs: int, asked: int
) -> str:
    """Return how many claims have which word, with their numbers, as a sentence.

    Args:
        claims: the judged claims.
        kind: what the pairs are replicates of.
        pairs: number of pairs of finished runs; at least one.
        asked: number of pairs that the comparison asks for.
    """
    parts = []
    for word in get_args(Word):
        ids = [str(claim.id) for claim in claims if claim.verdict == word]
        if ids:
            is_or_are = "is" if len(ids) == 1 else "are"
            parts.append(f"{len(ids)} {is_or_are} {WORDS[word]} ({', '.join(ids)})")
    over = replicates_said(kind, pairs, asked)
    said = f"Of nine claims, over {over}: {listed(parts)}."
    if pairs < FEWEST:
        fewest = count(FEWEST, replicate_noun(kind))
        said += f" Nothing can be decided yet: that takes {fewest} or more."
    return said


def replicates_said(kind: ReplicationKind, pairs: int, asked: int = 0) -> str:
    """Return what varies between the pairs of runs: "10 seeds on one split" or "7 of 10 splits"."""
    if asked > pairs:
        return f"{pairs} of {replicates_text(kind, asked)}"
    return replicates_text(kind, pairs)


def rule(pairs: int, family: int, *, dependent: bool) -> str:
    """Return how a word is decided, in one line.

    Args:
        pairs: number of pairs.
        family: number of claims that are judged together; at least one.
        dependent: whether the pairs' test and training items overlap, as re-splits' do.
    """
    level = 100 * (1 - ALPHA / family)
    together = f" ({family} claims together)" if family > 1 else ""
    corrected = ", corrected for splits that share items," if dependent else ""
    reached = 2 * family * 2.0**-pairs < ALPHA and not dependent
    test = f" and Holm's exact sign-flip p is below {ALPHA}" if reached else ""
    return (
        f"Level if the {level:.4g} % interval{together}{corrected} lies inside the practical "
        f"bounds; supported or contradicted if it excludes 0{test}; leaning if only the 95 % "
        "interval excludes 0; otherwise undecided. All parts of a claim must agree."
    )


def count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence: "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _reservation(noun: str, n: int, differing: Sequence[str]) -> str:
    parts = []
    if n < FEW:
        parts.append(f"{count(n, noun)} {'is' if n == 1 else 'are'} few")
    parts.append("margins were given, not tuned")
    if differing:
        parts.append(f"the arms also differ in {listed(differing)}")
    return f"Mind that {listed(parts)}."
