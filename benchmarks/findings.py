"""The tables of docs/FINDINGS.md: which loss is ahead on eight data sets, and what turns it round.

    python -m benchmarks.findings                    run what needs no file, write its tables anew
    python -m benchmarks.findings --data DIR         all; benchmarks.findings_data says what DIR has
    python -m benchmarks.findings --data DIR digits birds        the tables of two data sets
    python -m benchmarks.findings --of c0123456789 --api URL     print one of a running product

For each data set five comparisons of ten seeds: ten losses at one margin; the contrastive and the
triplet loss at five margins, under three protocols, and on ten splits; and all losses tuned with
one budget. They stay in a folder, so an interrupted command goes on where it was. What stands
between the tables is written by hand. The claims on digits and the synthetic data, and how often
verdicts are reversed, are redone by `--claims`.
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks import flips
from benchmarks.findings_data import CASES, Case
from benchmarks.findings_moves import (
    DETAIL_KEY,
    Measured,
    headline,
    losses_table,
    moves_table,
)
from benchmarks.findings_specs import (
    CONTRASTIVE,
    PARTS,
    PROTOCOLS,
    TRIPLET,
    Part,
    comparison_spec,
)
from benchmarks.findings_tables import claims_table, results_table, words_table
from benchmarks.product_bench import Bench, add_arguments, product_bench
from frontend.api.client import Api

PAGE: Final = Path(__file__).parents[1] / "docs" / "FINDINGS.md"
EPOCHS: Final = {"digits": 20, "synthetic": 100}
"""Of the comparisons by which the claims are judged."""
_JUDGED: Final[tuple[Part, ...]] = ("one margin", "equal budget")

Json = Mapping[str, Any]


def main(argv: Sequence[str] | None = None) -> None:
    """Write the tables, or print those of one comparison."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.findings")
    add_arguments(parser, CASES)
    parser.add_argument("--data", type=Path, metavar="DIR", help="files of data sets")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="run these only")
    parser.add_argument("--claims", action="store_true", help="judge the claims anew too")
    parser.add_argument("--of", metavar="COMPARISON", help="print this one of a running product")
    parser.add_argument("--api", default="http://127.0.0.1:8500")
    asked = parser.parse_args(argv)
    if asked.of:
        with httpx.Client(base_url=asked.api, timeout=60) as http:
            api = Api(http)
            print("\n".join(_comparison(api.verdict(asked.of), api.summary(asked.of))))
        return
    asked.folder.mkdir(parents=True, exist_ok=True)
    data = {name: CASES[name].make(asked.data, asked.folder) for name in asked.cases}
    for name in (name for name, section in data.items() if section is None):
        print(f"{name}: its files are not in {asked.data}; its tables stay", file=sys.stderr)
    known = {name: section for name, section in data.items() if section is not None}
    with product_bench(asked.folder, asked.workers) as comparisons:
        found = run(comparisons, known, asked.parts)
        write({"headline": whole_headline(PAGE.read_text(), found)})
        for name, measured in found.items():
            write(
                {f"{name} losses": losses_table(measured), f"{name} moves": moves_table(measured)}
            )
        if asked.claims:
            for name in (name for name in known if name in EPOCHS):
                write(claims(comparisons, name))


def run(comparisons: Bench, data: Mapping[str, Json], parts: Sequence[Part]) -> dict[str, Measured]:
    """Run all comparisons of these parts that are missing, part after part; of other parts, take
    what is there.

    Args:
        comparisons: where they run.
        data: the data section of each case, by name.
        parts: what they are about.

    Returns:
        What was measured, by case.
    """
    ids: dict[str, dict[Part, str]] = {name: {} for name in data}
    for part in PARTS:
        of_part = [name for name in data if part != "splits" or CASES[name].splits]
        specs = [comparison_spec(name, CASES[name], data[name], part) for name in of_part]
        if part in parts:
            print(f"{part}:", file=sys.stderr)
            own: Sequence[str | None] = comparisons.run(specs)
        else:
            own = [comparisons.ended(spec) for spec in specs]
        for name, comparison in zip(of_part, own, strict=True):
            if comparison is not None:
                ids[name][part] = comparison
    return {name: _measured(comparisons, CASES[name], known) for name, known in ids.items()}


def _measured(comparisons: Bench, case: Case, ids: Mapping[Part, str]) -> Measured:
    keys = [case.metric, *([DETAIL_KEY] if case.detail else [])]
    judged = {part: ids[part] for part in _JUDGED if part in ids}
    return Measured(
        case,
        {part: comparisons.verdict(one, CONTRASTIVE, TRIPLET) for part, one in judged.items()},
        {part: comparisons.summary(one) for part, one in ids.items()},
        {part: comparisons.leaderboard(one, keys) for part, one in judged.items()},
    )


def claims(comparisons: Bench, name: str) -> dict[str, list[str]]:
    """Return the tables of the nine claims on a data set as Markdown lines, by name."""
    spec = comparison_spec(name, CASES[name], {"kind": name}, "balance")
    training = {**spec["training"], "epochs": EPOCHS[name]}
    [protocols] = comparisons.run(
        [{**spec, "name": f"findings: {name}, claims", "training": training}]
    )
    verdicts = {said: comparisons.verdict(protocols, a, b) for said, (a, b) in PROTOCOLS.items()}
    balanced = verdicts["all tuples, balanced"]
    return {
        f"{name} words": words_table(verdicts),
        f"{name} claims": [balanced["summary"], "", *claims_table(balanced)],
        f"{name} results": results_table(comparisons.summary(protocols)),
        f"{name} flips": flips.tables(comparisons, name)[0],
    }


def write(tables: Mapping[str, Sequence[str]]) -> None:
    """Write tables into the page."""
    for name, lines in tables.items():
        PAGE.write_text(with_table(PAGE.read_text(), name, lines))
        print(f"written: {name}", file=sys.stderr)


def whole_headline(page: str, found: Mapping[str, Measured]) -> list[str]:
    """Return the headline with new rows for these data sets and the page's rows for the others."""
    [table] = re.findall(r"<!-- table: headline -->\n(.*?)<!-- end -->", page, re.DOTALL)
    rows = {row.split("|")[1].strip(): row for row in table.splitlines() if row.startswith("| ")}
    heads = headline(())
    for name, case in CASES.items():
        if name in found:
            heads += headline([found[name]])[2:]
        elif case.title in rows:
            heads.append(rows[case.title])
    return heads


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


def _comparison(verdict: Json, summary: Json) -> list[str]:
    caveats = [f"- {caveat}" for caveat in verdict["caveats"]]
    judged = claims_table(verdict) if verdict["arms"] else []
    return [verdict["summary"], "", *caveats, "", *judged, "", *results_table(summary)]


if __name__ == "__main__":
    main()
