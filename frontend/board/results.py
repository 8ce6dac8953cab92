"""What came out of a comparison, as texts of the board's table."""

from math import floor, log10
from typing import Final

from frontend.api.types import BestArm, Comparison
from frontend.comparison.verdict.words import WORDS

NO_SPREAD_DECIMALS: Final = 3
MOST_DECIMALS: Final = 6
MINUS: Final = "−"


def best_text(comparison: Comparison) -> str:
    """Return the best arm, and how many others are not told apart from it; "" without a result."""
    best = comparison["result"] and comparison["result"]["best"]
    if not best:
        return ""
    level = f" (+{best['level_with']} no clear difference)" if best["level_with"] else ""
    return f"{best['arm']}{level}"


def metric_text(comparison: Comparison) -> str:
    """Return the main metric's short name with the best arm's value; "" without a result."""
    best = comparison["result"] and comparison["result"]["best"]
    if not best:
        return ""
    return f"{value_text(best)} {best['label'].removesuffix(' (test)')}"


def value_text(best: BestArm) -> str:
    """Return mean ± standard deviation, with as many decimals as the spread allows."""
    decimals = spread_decimals(best["sd"])
    spread = "" if best["sd"] is None else f" ± {best['sd']:.{decimals}f}"
    return f"{best['mean']:.{decimals}f}{spread}".replace("-", MINUS)


def spread_decimals(spread: float | None) -> int:
    """Return the decimals that show two digits of a spread; usual ones without a spread."""
    if not spread:
        return NO_SPREAD_DECIMALS
    return min(max(1 - floor(log10(spread)), 0), MOST_DECIMALS)


def claims_text(comparison: Comparison) -> str:
    """Return how many claims got each word: the word's sign and the number; "" without claims."""
    result = comparison["result"]
    if not result or not result["claims"]:
        return ""
    numbers: dict[str, int] = dict(result["claims"].items())
    return "  ".join(
        f"{word.sign} {numbers[name]}" for name, word in WORDS.items() if numbers.get(name)
    )


def claims_legend() -> str:
    """Return what the signs mean."""
    return ", ".join(f"{word.sign} {word.text.lower()}" for word in WORDS.values())
