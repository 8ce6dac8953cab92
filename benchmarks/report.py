"""One way to report what a benchmark measured."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Row:
    """One measured case: ours, and beside it a peer's figure or the goal of the issue."""

    bench: str
    case: str
    ours: float
    unit: str
    n: int
    """Repeats behind the figure."""
    peer: float | None = None
    peer_name: str = ""

    @property
    def ratio(self) -> float | None:
        """Peer's figure over ours; above 1 we take less."""
        return self.peer / self.ours if self.peer is not None and self.ours else None


def report(rows: Sequence[Row]) -> None:
    """Print the rows as a table and append them to benchmarks/results/<bench>.jsonl."""
    RESULTS.mkdir(exist_ok=True)
    print(
        f"{'case':<44}{'ours':>12} {'unit':<10}{'peer':>12}  {'peer name':<26}{'ratio':>7}{'n':>6}"
    )
    for row in rows:
        peer = f"{row.peer:.4g}" if row.peer is not None else ""
        ratio = f"{row.ratio:.3g}" if row.ratio is not None else ""
        print(
            f"{row.case:<44}{row.ours:>12.4g} {row.unit:<10}{peer:>12}  "
            f"{row.peer_name:<26}{ratio:>7}{row.n:>6}",
            flush=True,
        )
        with (RESULTS / f"{row.bench}.jsonl").open("a") as sink:
            sink.write(json.dumps({**asdict(row), "ratio": row.ratio}) + "\n")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the sample lies (inclusive method)."""
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return cuts[round(share * 100) - 1]
