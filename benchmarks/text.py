"""How long the features of 22,500 texts take on one core, from the table to the cache.

1. A CSV table of 22,500 texts is read and checked as a run reads it: generated requests of 10
   domains and 80 intents, or with `--table` a table of one's own, whose figures are printed alone.
2. Their features by the bundled static encoder, into an empty cache: its files are read, each text
   goes through the tokenizer, and the vectors of its tokens are averaged. Goal, with reading the
   table: 15 seconds.
3. The same features from the cache, as the second run finds them.

torch has one thread; medians of seconds of CPU time. Takes under a minute. Exits with 1 where a
goal is missed.
Command: python -m benchmarks.text
"""

import argparse
import csv
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import torch

from benchmarks.report import Row, report
from contract.comparison.data import GeneratedTextData
from contract.comparison.encoder import StaticTextEncoder
from contract.dataset_files import read_texts
from worker import data, encoders, features
from worker.data import Texts
from worker.reporting.progress import SILENT

TEXTS = 22_500
"""As many as CLINC150 has."""
LIMIT_S = 15.0
REPEATS = 5
CPU = torch.device("cpu")


def main() -> int:
    """Measure each part, and all parts together against the goal."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.text")
    parser.add_argument("--table", type=Path, help="a table of texts instead of generated ones")
    table: Path | None = parser.parse_args().table
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = table or write_table(Path(folder) / "texts.csv")
        texts = Texts(read_texts(path).texts)
        reading = [seconds(lambda: read_texts(path)) for _ in range(REPEATS)]
        cold, warm = [], []
        for at in range(REPEATS):
            cache = Path(folder) / f"cache {at}"
            cold.append(seconds(lambda cache=cache: extract(texts, cache)))  # type: ignore[misc]
            warm.append(seconds(lambda cache=cache: extract(texts, cache)))  # type: ignore[misc]
    count = f"{len(texts):,} texts"
    what = "of a table of one's own" if table else "generated"
    total = [read + one for read, one in zip(reading, cold, strict=True)]
    rows = [
        Row("text", f"{count}, {what}: the table is read", median(reading), "s", REPEATS),
        Row("text", f"{count}: features computed", median(cold), "s", REPEATS),
        Row("text", f"{count}: features from the cache", median(warm), "s", REPEATS),
        Row("text", f"{count}: read and computed", median(total), "s", REPEATS, limit=LIMIT_S),
    ]
    versions = {name: metadata.version(name) for name in ("tokenizers", "wordllama")}
    return int(not report(rows, document=table is None, versions=versions))


def write_table(path: Path) -> Path:
    """Write generated requests as a CSV table with labels and fine labels."""
    rows: dict[str, tuple[str, str]] = {}
    for seed in range(4):
        spec = GeneratedTextData(domains=10, intents=8, per_intent=200, seed=seed)
        pool = data.load(spec)
        assert isinstance(pool.items, Texts)
        assert pool.class_names is not None
        assert pool.fine_names is not None
        assert pool.fine is not None
        labels = zip(pool.labels.tolist(), pool.fine.tolist(), strict=True)
        for text, (label, fine) in zip(pool.items.texts, labels, strict=True):
            rows[text] = (pool.class_names[label], pool.fine_names[fine])
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "fine_label"])
        writer.writerows((text, *named) for text, named in list(rows.items())[:TEXTS])
    return path


def extract(texts: Texts, cache: Path) -> None:
    """Compute features, or find them, as a run does."""
    model = encoders.text_model(StaticTextEncoder())
    features.extract_features(texts, model, CPU, cache=cache, progress=SILENT)


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds of CPU time that work takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def median(taken: list[float]) -> float:
    """Return the median."""
    return statistics.median(taken)


if __name__ == "__main__":
    sys.exit(main())
