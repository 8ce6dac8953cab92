"""How often the verdict decides a claim without any difference, in simulated comparisons.

Nine claims, correlated as metrics of one comparison are: of one or two metrics as ours are, one of
them whole-numbered; and, harder, of one metric each. Both arms' values come from one distribution.
Beside it, what is known to break the promise; how often level is said where the true difference
lies exactly on the practical bound; re-splits of one data set; all pairs of five arms; and how
large an effect is found, and how small a spread is needed to find level, by the number of
replicates. Only contract.statistics is used; nothing is trained.

Run as `python -m benchmarks.error_rates [--comparisons 10000]`; about three minutes of one core.
Shares are printed with their standard errors; most lines outside the promise have a fifth of the
comparisons.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from benchmarks.report import Row, report
from benchmarks.simulated_claims import (
    AS_OURS,
    COARSE,
    NORMAL,
    ONE_EACH,
    SOURCES,
    TWO_VALUED,
    Array,
    Family,
    Share,
    Source,
    are_decided,
    arms_told_apart,
    dependent,
    leaning,
    no_difference,
    on_the_bound,
    share_decided,
    share_level,
    signs_of,
    skewed,
)
from contract.statistics import Word

BENCH: Final = "error_rates"
PROMISE: Final = 0.05
REPLICATES: Final = (3, 5, 10, 20)
DIRECTED: Final[tuple[Word, ...]] = ("supported", "contradicted")
TEST_TO_TRAIN: Final = 1 / 3
"""Of a split into 60 % for training and 20 % each for validation and test."""
ARMS: Final = 5
CLAIMS: Final = len(AS_OURS.sizes)
EFFECTS: Final = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
"""True differences, in standard deviations of the difference between the arms of a pair."""
SPREADS: Final = (0.1, 0.25, 0.5, 1.0)
"""Standard deviations of the difference, in half-widths of the practical bounds."""
LOOKS: Final = (10, 28)
"""Replicates of a first look, and those that halve its intervals."""
POWER_REPLICATES: Final = (3, 5, 8, 10, 15, 20, 30)
_SEED: Final = 17

Rng = np.random.Generator
Case = tuple[str, Share, bool]
"""What was simulated, how often a word was false, and whether the promise covers it."""


def main() -> int:
    """Simulate, print and document."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.error_rates")
    parser.add_argument("--comparisons", type=int, default=10_000, help="for each line")
    comparisons: int = parser.parse_args().comparisons
    began = time.monotonic()
    cases = [_printed(case) for case in error_cases(comparisons)]
    rows = [
        Row(
            BENCH,
            name,
            100 * share.share,
            "%",
            share.n,
            # Three standard errors above the promise are still no sign of a broken one.
            limit=100 * (PROMISE + 3 * Share(PROMISE, share.n).error) if promised else None,
        )
        for name, share, promised in cases
    ]
    trials = comparisons // 5
    tables = [*power_table(trials), "", *level_table(comparisons)]
    print("\n".join(tables))
    print(f"{time.monotonic() - began:.0f} s")
    error = 100 * Share(PROMISE, comparisons).error
    notes = [
        f"The promise is 5 %; a goal allows three standard errors more, and one of them is at most "
        f"{error:.2g} % for {comparisons:,} comparisons. Lines without a goal are outside the "
        "promise.",
        "",
        *tables,
    ]
    return 0 if report(rows, document=comparisons >= 10_000, notes=notes) else 1


def error_cases(comparisons: int) -> Iterable[Case]:
    """Yield all false decisions that are simulated, one case after another."""
    for family in (AS_OURS, ONE_EACH):
        for source in SOURCES:
            for n in REPLICATES:
                yield _null(family, source, comparisons, n, promised=True)
    fewer = comparisons // 5
    for source in (COARSE, TWO_VALUED):
        for n in REPLICATES:
            yield _null(ONE_EACH, source, fewer, n, promised=False)
    for n in REPLICATES:
        differences = skewed(_rng("skewed", n), ONE_EACH, fewer, n)
        yield f"skewed differences of mean 0, n = {n}", _directed(differences, ONE_EACH), False
    for n in REPLICATES:
        differences = no_difference(_rng("lean", n), ONE_EACH, NORMAL, comparisons, n)
        lean = leaning(differences, ONE_EACH, signs_of(ONE_EACH, NORMAL))
        yield f"leaning at least, normal, n = {n}", lean, False
    yield f"looked at with {LOOKS[0]} and with {LOOKS[1]}, normal", _two_looks(comparisons), False
    for source in (*SOURCES[:3], COARSE):
        for n in REPLICATES:
            name = f"level on the bound, {source.name}, n = {n}"
            yield name, _level_on_the_bound(source, comparisons, n), True
    for n in REPLICATES:
        differences = dependent(_rng("splits", n), ONE_EACH, comparisons, n, TEST_TO_TRAIN)
        share = _directed(differences, ONE_EACH, TEST_TO_TRAIN)
        yield f"re-splits, corrected, n = {n}", share, True
        share = _directed(differences[:fewer], ONE_EACH)
        yield f"re-splits, not corrected, n = {n}", share, False
    for source in SOURCES:
        for n in REPLICATES:
            values = source.of_normal(_rng("arms", n).standard_normal((comparisons, n, ARMS)))
            share = arms_told_apart(values, signs_only=source.signs_only)
            yield f"any two of {ARMS} arms, {source.name}, n = {n}", share, True


def power_table(trials: int) -> list[str]:
    """Return how often a claim of one metric is decided, by effect and replicates, in Markdown."""

    def share(n: int, effect: float) -> Share:
        return share_decided(_rng("power", n).standard_normal((trials, n)) + effect, CLAIMS)

    return [
        f"Share of true effects that are found, %, for one metric among {CLAIMS} claims that show "
        f"nothing else ({trials:,} trials each); the effect in standard deviations of the paired "
        "difference:",
        "",
        *_table("effect", EFFECTS, share),
    ]


def level_table(trials: int) -> list[str]:
    """Return how often arms without difference are level, by spread and replicates, in Markdown."""

    def share(n: int, spread: float) -> Share:
        return share_level(spread * _rng("level", n).standard_normal((trials, n)), CLAIMS, 1.0)

    return [
        f"Share of metrics without any difference that are called level, %, among {CLAIMS} claims; "
        "the standard deviation of the paired difference in half-widths of the practical bounds:",
        "",
        *_table("spread", SPREADS, share),
    ]


def _table(name: str, lines: Iterable[float], share: Callable[[int, float], Share]) -> list[str]:
    head = [f"n = {n}" for n in POWER_REPLICATES]
    rows = [
        [f"{at:g}", *(f"{100 * share(n, at).share:.0f}" for n in POWER_REPLICATES)] for at in lines
    ]
    return [
        f"| {' | '.join([name, *head])} |",
        f"|{'--:|' * (len(head) + 1)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _null(family: Family, source: Source, comparisons: int, n: int, *, promised: bool) -> Case:
    differences = no_difference(_rng(source.name, n), family, source, comparisons, n)
    found = are_decided(differences, family, DIRECTED, signs=signs_of(family, source))
    return f"{family.name}, {source.name}, n = {n}", Share.of(found), promised


def _two_looks(comparisons: int) -> Share:
    """Return how often a claim is decided at the first look or, with more replicates, later."""
    differences = no_difference(_rng("looks", 0), ONE_EACH, NORMAL, comparisons, LOOKS[1])
    signs = signs_of(ONE_EACH, NORMAL)
    first, later = (are_decided(differences[:, :n], ONE_EACH, DIRECTED, signs=signs) for n in LOOKS)
    return Share.of(first | later)


def _directed(differences: Array, family: Family, test_to_train: float = 0.0) -> Share:
    return Share.of(are_decided(differences, family, DIRECTED, test_to_train=test_to_train))


def _level_on_the_bound(source: Source, comparisons: int, n: int) -> Share:
    """Return how often level or the wrong side is said where every difference is on the bound."""
    differences = on_the_bound(_rng(source.name, n), ONE_EACH, source, comparisons, n)
    words: tuple[Word, ...] = ("level", "contradicted")
    return Share.of(are_decided(differences, ONE_EACH, words, half_width=1.0))


def _printed(case: Case) -> Case:
    name, share, promised = case
    print(
        f"{name:<68}{100 * share.share:>6.2f} % +- {100 * share.error:.2f}"
        f"{'' if promised else '   (outside the promise)'}",
        flush=True,
    )
    return case


def _rng(name: str, n: int) -> Rng:
    return np.random.default_rng([_SEED, n, *name.encode()])


if __name__ == "__main__":
    sys.exit(main())
