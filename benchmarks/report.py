"""One way to report what a benchmark measured."""

import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import document as documents
from benchmarks.row import Row, number

__all__ = ["Row", "percentile", "report"]

RESULTS = Path(__file__).parent / "results"
KEYS = ("bench", "case", "ours", "peer", "peer_name", "unit", "ratio", "n")


def report(
    rows: Sequence[Row],
    *,
    document: bool = True,
    versions: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
) -> bool:
    """Print the rows, write them to benchmarks/results/<bench>.jsonl and to docs/BENCHMARKS.md.

    Both hold the last run only, so call it once with all rows of a bench.

    Args:
        rows: of one bench or several.
        document: False for a trial: the rows are printed and nothing is written.
        versions: of peers that are not installed beside ours, by name; of the others it knows.
        notes: sentences below the table, as why a peer is ahead.

    Returns:
        Whether every stated goal is met.
    """
    _print(rows)
    if document:
        for bench in dict.fromkeys(row.bench for row in rows):
            own = [row for row in rows if row.bench == bench]
            _store(bench, own)
            documents.write(bench, own, versions or {}, notes)
    return all(row.met is not False for row in rows)


def _print(rows: Sequence[Row]) -> None:
    print(
        f"{'case':<44}{'ours':>12} {'unit':<10}{'peer':>12}  {'peer name':<36}{'ratio':>7}{'n':>6}"
    )
    for row in rows:
        peer = f"{row.peer:.4g}" if row.peer is not None else ""
        ratio = f"{row.ratio:.3g}" if row.ratio is not None else ""
        print(
            f"{row.case:<44}{row.ours:>12.4g} {row.unit:<10}{peer:>12}  "
            f"{row.peer_name:<36}{ratio:>7}{row.n:>6}"
        )
    for row in rows:
        if row.goal:
            seen = f"{number(row.ours)} {row.unit}"
            if row.least_ratio is not None and row.ratio is not None:
                seen += f", ratio {number(row.ratio)} to {row.peer_name}"
            print(f"{'met   ' if row.met else 'MISSED'} {row.case}: {row.goal}: {seen}")
    sys.stdout.flush()


def _store(bench: str, rows: Sequence[Row]) -> None:
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{bench}.jsonl").open("w") as sink:
        for row in rows:
            known = {**asdict(row), "ratio": row.ratio}
            sink.write(json.dumps({key: known[key] for key in KEYS}) + "\n")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the sample lies (inclusive method)."""
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return cuts[round(share * 100) - 1]
