"""The tables of docs/FINDINGS.md: what came out when our own runs were judged.

    python -m benchmarks.findings                  run what is missing, write all tables anew
    python -m benchmarks.findings digits           the tables of one data set
    python -m benchmarks.findings --of c0123456789 print a comparison of a running product

For each data set a comparison of five arms over ten seeds: the paper's sampling, all tuples
balanced, and all tuples alike; and the comparisons of benchmarks.flips. They stay in a folder, so
an interrupted run goes on where it was. What stands between the tables is written by hand.
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks import flips
from benchmarks.findings_tables import claims_table, results_table, words_table
from benchmarks.in_process import Bench, add_arguments, bench
from frontend.api.client import Api

PAGE: Final = Path(__file__).parents[1] / "docs" / "FINDINGS.md"
EPOCHS: Final = {"digits": 20, "synthetic": 100}
PROTOCOLS: Final[Mapping[str, tuple[str, str]]] = {
    "as the paper samples": ("contrastive, sampled", "triplet, sampled"),
    "all tuples, balanced": ("contrastive, balanced", "triplet, all"),
    "all tuples alike": ("contrastive, all alike", "triplet, all"),
}
"""Protocol -> the arms in the places of the contrastive and the triplet loss."""
_ARMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "contrastive, sampled": {"kind": "contrastive", "selection": "sampled"},
    "contrastive, balanced": {"kind": "contrastive", "reduction": "balanced"},
    "contrastive, all alike": {"kind": "contrastive"},
    "triplet, sampled": {"kind": "triplet", "selection": "sampled"},
    "triplet, all": {"kind": "triplet"},
}


def main(argv: Sequence[str] | None = None) -> None:
    """Write the tables, or print those of one comparison."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.findings")
    add_arguments(parser, flips.CASES)
    parser.add_argument("--of", metavar="COMPARISON", help="print this one of a running product")
    parser.add_argument("--api", default="http://127.0.0.1:8500")
    asked = parser.parse_args(argv)
    if asked.of:
        with httpx.Client(base_url=asked.api, timeout=60) as http:
            api = Api(http)
            print("\n".join(_comparison(api.verdict(asked.of), api.summary(asked.of))))
        return
    with bench(asked.folder, asked.jobs) as comparisons:
        for case in asked.cases:
            for name, lines in tables(comparisons, case).items():
                PAGE.write_text(with_table(PAGE.read_text(), name, lines))
                print(f"written: {name}", file=sys.stderr)


def tables(comparisons: Bench, case: str) -> dict[str, list[str]]:
    """Return the tables of a data set as Markdown lines, by name."""
    [protocols] = comparisons.run([comparison_spec(case)])
    verdicts = {name: comparisons.verdict(protocols, a, b) for name, (a, b) in PROTOCOLS.items()}
    balanced = verdicts["all tuples, balanced"]
    return {
        f"{case} words": words_table(verdicts),
        f"{case} claims": [balanced["summary"], "", *claims_table(balanced)],
        f"{case} results": results_table(comparisons.summary(protocols)),
        f"{case} flips": flips.tables(comparisons, case)[0],
    }


def with_table(page: str, name: str, lines: Sequence[str]) -> str:
    """Return the page with these lines between the marks of this table.

    Raises:
        ValueError: the page has no such marks, or has them twice.
    """
    begin, end = f"<!-- table: {name} -->\n", "<!-- end -->"
    pattern = re.compile(rf"({re.escape(begin)}).*?({re.escape(end)})", re.DOTALL)
    body = "\n".join(lines).strip()
    written, count = pattern.subn(lambda found: f"{found[1]}\n{body}\n\n{found[2]}", page)
    if count != 1:
        raise ValueError(f"the page has {count} places for the table {name!r}, not one")
    return written


def _comparison(verdict: Mapping[str, Any], summary: Mapping[str, Any]) -> list[str]:
    caveats = [f"- {caveat}" for caveat in verdict["caveats"]]
    judged = claims_table(verdict) if verdict["arms"] else []
    return [verdict["summary"], "", *caveats, "", *judged, "", *results_table(summary)]


def comparison_spec(case: str) -> dict[str, Any]:
    """Return the comparison of all protocols on a data set."""
    spec = flips.CASES[case]
    return {
        **spec,
        "name": f"findings: {case}",
        "training": {**spec["training"], "epochs": EPOCHS[case]},
        "arms": [{"name": name, "loss": dict(loss)} for name, loss in _ARMS.items()],
        "seeds": list(range(flips.SEEDS)),
    }


if __name__ == "__main__":
    main()
