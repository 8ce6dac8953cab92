"""What came out of a comparison, as texts of the board's table."""

from frontend.api.types import Comparison
from frontend.comparison.verdict.words import WORDS
from frontend.ui.numbers import mean_and_spread


def best_text(comparison: Comparison) -> str:
    """Return the best arm, and how many others it is not clearly ahead of; "" without a result."""
    best = comparison["result"] and comparison["result"]["best"]
    if not best:
        return ""
    level = f" (no clear lead over {best['level_with']})" if best["level_with"] else ""
    return f"{best['arm']}{level}"


def metric_text(comparison: Comparison) -> str:
    """Return the main metric's short name with the best arm's value; "" without a result."""
    best = comparison["result"] and comparison["result"]["best"]
    if not best:
        return ""
    value = mean_and_spread(best["mean"], best["sd"])
    return f"{value} {best['label'].removesuffix(' (test)')}"


def claims_text(comparison: Comparison) -> str:
    """Return how many claims got each word: the word's sign and the number. Where the verdict has
    no claims, why; "" without a result."""
    result = comparison["result"]
    if not result:
        return ""
    if not result["claims"]:
        return result["no_claims"]
    numbers: dict[str, int] = dict(result["claims"].items())
    return "  ".join(
        f"{word.sign} {numbers[name]}" for name, word in WORDS.items() if numbers.get(name)
    )


def claims_legend() -> str:
    """Return what the signs mean."""
    return ", ".join(f"{word.sign} {word.text.lower()}" for word in WORDS.values())
