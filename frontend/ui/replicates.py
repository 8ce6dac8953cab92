"""What the runs of an arm replicate, in words: seeds on one split, draws or splits.

What one of them is called, the API says: the `replicate_noun` of a comparison.
"""

from typing import Final

SEED: Final = "seed"
"""Noun of replicates that all have the same split."""


def over_text(noun: str) -> str:
    """Return over what means and intervals are, for a sentence: `seeds on one split`, `splits`."""
    return "seeds on one split" if noun == SEED else f"{noun}s"


def count_text(noun: str, count: int) -> str:
    """Return a number of replicates in words: `10 seeds on one split`, `1 split`."""
    of_one = " on one split" if noun == SEED else ""
    return f"{count} {noun}{'' if count == 1 else 's'}{of_one}"
