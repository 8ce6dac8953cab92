"""What the runs of an arm replicate, in words: seeds on one split, or splits."""

from collections.abc import Mapping
from typing import Any, Final

Spec = Mapping[str, Any]

SPLIT: Final = "split"
"""Value of a spec's `replicate` where each seed has a split of its own."""


def noun(spec: Spec) -> str:
    """Return what one replicate is: seed or split.

    Args:
        spec: a comparison's spec, or another object with the key `replicate`.
    """
    return SPLIT if spec.get("replicate") == SPLIT else "seed"


def over_text(spec: Spec) -> str:
    """Return over what means and intervals are, for a sentence: `seeds on one split`, `splits`."""
    return "splits" if noun(spec) == SPLIT else "seeds on one split"


def count_text(spec: Spec, count: int) -> str:
    """Return a number of replicates in words: `10 seeds on one split`, `1 split`."""
    of_one = "" if noun(spec) == SPLIT else " on one split"
    return f"{count} {noun(spec)}{'' if count == 1 else 's'}{of_one}"
