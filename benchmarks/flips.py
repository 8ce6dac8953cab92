"""How often a verdict is reversed: the same comparison with other seeds, other splits and another
margin.

For each data set, contrastive against triplet loss on all tuples of a batch, balanced: five
comparisons of ten seeds each, no seed in two of them; five of ten splits each; and one at another
margin. Every two of the five are compared, claim by claim. A reversal is a claim that one of them
supports and the other contradicts; the goal is none. What the margin moves is shown, not judged.

    python -m benchmarks.flips                      all
    python -m benchmarks.flips digits --workers 1   one data set, on one slot

Comparisons stay in a folder, that of benchmarks.findings too, and one that is there already is not
run again.
"""

import argparse
import itertools
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from benchmarks.findings_tables import said
from benchmarks.product_bench import Bench, add_arguments, product_bench

SETS: Final = 5
SEEDS: Final = 10
"""Of each set."""
OTHER_MARGIN: Final = 0.2
ENCODER: Final = {"kind": "mlp", "embedding_dim": 64, "normalize": True}
CASES: Final[Mapping[str, Mapping[str, Any]]] = {
    "digits": {
        "data": {"kind": "digits"},
        "encoder": ENCODER,
        "training": {"epochs": 20, "batch_size": 64},
    },
    "synthetic": {
        "data": {"kind": "synthetic"},
        "encoder": ENCODER,
        "training": {"epochs": 30, "batch_size": 64},
        "measure": {"evaluate_every": 2},
    },
}
"""Data set -> spec without arms and seeds. The synthetic data as in the preset of Zeng 2025, but 30
of its 100 epochs."""
KINDS: Final = {"seed": "the ten seeds, one split", "split": "the ten splits and seeds"}
"""What the five sets differ in, by the spec's `replicate`."""
Words = Mapping[int, str]
"""Number of a claim -> the word on it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print the tables; return 1 if a verdict was reversed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.flips", description="How often a verdict is reversed."
    )
    add_arguments(parser, CASES)
    asked = parser.parse_args(argv)
    reversals = 0
    with product_bench(asked.folder, asked.workers) as comparisons:
        for case in asked.cases:
            lines, count = tables(comparisons, case)
            print("\n".join(lines), flush=True)
            reversals += count
    return int(reversals > 0)


def tables(comparisons: Bench, case: str) -> tuple[list[str], int]:
    """Return the tables of one data set as Markdown, and the number of reversals."""
    specs = [comparison_spec(case, kind, place) for kind in KINDS for place in range(SETS)]
    specs.append(comparison_spec(case, "seed", 0, OTHER_MARGIN))
    *words, at_other_margin = [_words(comparisons.verdict(one)) for one in comparisons.run(specs)]
    sets = {kind: words[at * SETS : (at + 1) * SETS] for at, kind in enumerate(KINDS)}
    counted = {kind: changes(of_kind) for kind, of_kind in sets.items()}
    lines = [
        f"| {case}: what differs | pairs of words | same | reversals | other changes |",
        "|--|--:|--:|--:|--|",
        *(_changes_row(kind, count) for kind, count in counted.items()),
        "",
        f"| claim | margin 1 | margin {OTHER_MARGIN} | sets of splits, margin 1 |",
        "|--|--|--|--|",
    ]
    for claim, word in words[0].items():
        by_set = Counter(said(one[claim]) for one in sets["split"])
        splits = ", ".join(f"{n} x {of_set}" for of_set, n in by_set.most_common())
        lines.append(f"| {claim} | {said(word)} | {said(at_other_margin[claim])} | {splits} |")
    return [*lines, ""], sum(map(_reversals, counted.values()))


def _changes_row(kind: str, count: Counter[tuple[str, str]]) -> str:
    same = sum(n for (a, b), n in count.items() if a == b)
    others = "; ".join(
        f"{said(a)} and {said(b)}: {n}"
        for (a, b), n in count.most_common()
        if a != b and not reverses(a, b)
    )
    cells = (KINDS[kind], count.total(), same, _reversals(count), others or "none")
    return f"| {' | '.join(map(str, cells))} |"


def changes(sets: Iterable[Words]) -> Counter[tuple[str, str]]:
    """Count the words of every two sets on each claim, as sorted pairs; what neither has measured
    is left out."""
    return Counter(
        (min(a[claim], b[claim]), max(a[claim], b[claim]))
        for a, b in itertools.combinations(sets, 2)
        for claim in a
        if {a[claim], b[claim]} != {"not_measured"}
    )


def reverses(a: str, b: str) -> bool:
    """Return whether two words on one claim say the opposite."""
    return {a, b} == {"supported", "contradicted"}


def _reversals(count: Counter[tuple[str, str]]) -> int:
    return sum(n for (a, b), n in count.items() if reverses(a, b))


def _words(verdict: Mapping[str, Any]) -> Words:
    return {claim["id"]: claim["verdict"] for claim in verdict["claims"]}


def comparison_spec(case: str, kind: str, place: int, margin: float = 1.0) -> dict[str, Any]:
    """Return the comparison of one set of seeds, or of splits, which differ in their data seeds."""
    spec = CASES[case]
    data = {**spec["data"], "seed": place * SEEDS} if kind == "split" else spec["data"]
    first = place * SEEDS
    shared = {"margin": margin, "selection": "all"}
    return {
        **spec,
        "name": f"flips: {case}, {kind} {place}, margin {margin:g}",
        "data": data,
        "replicate": kind,
        "arms": [
            {
                "name": "contrastive",
                "loss": {"kind": "contrastive", "reduction": "balanced", **shared},
            },
            {"name": "triplet", "loss": {"kind": "triplet", "reduction": "mean", **shared}},
        ],
        "seeds": list(range(first, first + SEEDS)),
    }


if __name__ == "__main__":
    sys.exit(main())
