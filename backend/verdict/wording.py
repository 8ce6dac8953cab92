"""Sentences of a verdict: its summary and its rule.

Pure functions.
"""

import re
from collections.abc import Sequence
from typing import Final, get_args

from backend.verdict.reasons import WORDS
from backend.verdict.schemas import ClaimOut
from contract.comparison.replication import (
    ReplicationKind,
    replicate_noun,
    replicates_text,
)
from contract.statistics import ALPHA, FEWEST, Word

MOST_LISTED: Final = 6
"""Most that a list in a sentence names; of more it names some and counts the others."""
_LIKE_A_SENTENCE: Final = re.compile(r"[,;:]|\b(?:and|or)\b", re.IGNORECASE)


def summary_sentence(
    claims: Sequence[ClaimOut],
    kind: ReplicationKind,
    pairs: int,
    asked: int,
    trials: int | None = None,
) -> str:
    """Return how many claims have which word, with their numbers, as a sentence.

    Args:
        claims: the judged claims.
        kind: what the pairs are replicates of.
        pairs: number of pairs of finished runs; at least one.
        asked: number of pairs that the comparison asks for.
        trials: of each arm, if the comparison is tuned.
    """
    parts = []
    for word in get_args(Word):
        ids = [str(claim.id) for claim in claims if claim.verdict == word]
        if ids:
            is_or_are = "is" if len(ids) == 1 else "are"
            parts.append(f"{len(ids)} {is_or_are} {WORDS[word]} ({', '.join(ids)})")
    over = replicates_said(kind, pairs, asked)
    budget = "" if trials is None else f", at {count(trials, 'trial')} each"
    said = f"Of nine claims, over {over}{budget}: {listed(parts, most=len(parts))}."
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


def named(arm: str) -> str:
    """Return an arm's name for a sentence: in quotation marks if it reads like several words of the
    sentence's own."""
    return f'"{arm}"' if _LIKE_A_SENTENCE.search(arm) else arm


def listed_arms(arms: Sequence[str], last: str = "and") -> str:
    """Return names of arms as a list in a sentence; see `listed`."""
    return listed([named(arm) for arm in arms], last)


def listed(names: Sequence[str], last: str = "and", most: int = MOST_LISTED) -> str:
    """Return names as a list in a sentence; of many the first few, and how many others.

    Args:
        names: at least one.
        last: the word before the last one.
        most: how many are named at most.
    """
    shown = list(names)
    if len(shown) > most:
        others = f"{len(shown) - most + 1} others"
        shown = [*shown[: most - 1], f"one of {others}" if last == "or" else others]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {last} {shown[-1]}"
