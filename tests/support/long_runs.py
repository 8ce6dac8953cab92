"""Fills a database quickly with comparisons of long runs, for tests and measurements of the pages.

    python -m tests.support.long_runs DATA_DIR --comparisons 20 --arms 2 --seeds 5 --steps 10000

The curves are random: they fall or rise as real ones do, with noise that depends on the seed. Their
last values depend on the settings, so that a scatter plot shows something.
"""

import argparse
import time
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backend.comparisons import repository as comparison_store
from backend.db import migrations
from backend.db.database import Database
from backend.db.models import Run
from backend.metrics import points
from backend.metrics.points import Columns
from backend.runs import repository as runs
from contract.comparison.spec import ComparisonSpec, parse_spec

STEPS_PER_EPOCH: Final = 100
LOSSES: Final = ("contrastive", "triplet", "sup_con", "info_nce", "n_pair")
MARGINS: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
RATES: Final = (3e-4, 1e-3, 3e-3)
EVALUATED: Final = {
    "retrieval.map_at_r": 0.7,
    "retrieval.recall_at_1": 0.9,
    "classification.knn_accuracy_5": 0.92,
    "clustering.ami": 0.8,
}
"""Metric measured at every epoch -> about its last value."""

Numbers = NDArray[np.float64]


def fill(
    database: Database,
    comparisons: int = 20,
    arms: int = 2,
    seeds: int = 5,
    steps: int = 10_000,
) -> list[str]:
    """Store comparisons whose runs have all succeeded; return their ids.

    Every run has three series with a point per step, and those of EVALUATED with a point per epoch
    of STEPS_PER_EPOCH steps and one of the test split.
    """
    made = []
    for index in range(comparisons):
        spec = parse_spec(_spec(index, arms, seeds, steps))
        with database.write() as write:
            comparison = comparison_store.create(
                write, spec=spec, raw=spec.model_dump(mode="json"), now=time.time()
            )
            write.session.flush()
            for run in runs.of_comparison(write.session, comparison.id):
                _end(run, steps)
                write.session.add(run)
                curves = _curves(spec, run, steps, index)
                ids = points.ensure_series(write.session, [(run.id, key) for key in curves])
                columns: Columns = {ids[run.id, key]: curve for key, curve in curves.items()}
                points.insert(write.session, columns)
            made.append(comparison.id)
    return made


def _spec(index: int, arms: int, seeds: int, steps: int) -> dict[str, Any]:
    combinations = list(product(LOSSES, MARGINS))
    chosen = [combinations[(index * arms + at) % len(combinations)] for at in range(arms)]
    return {
        "name": f"long runs {index + 1}",
        "tags": ["long", "odd" if index % 2 else "even"],
        "data": {"kind": "digits"},
        "encoder": {"kind": "mlp", "embedding_dim": 16 << (index % 4)},
        "training": {
            "epochs": max(1, steps // STEPS_PER_EPOCH),
            "batch_size": 64,
            "optimizer": {"kind": "adam", "lr": RATES[index % len(RATES)]},
        },
        "arms": [
            {"name": f"{at + 1} {kind}", "loss": _loss(kind, margin)}
            for at, (kind, margin) in enumerate(chosen)
        ],
        "seeds": list(range(seeds)),
    }


def _loss(kind: str, margin: float) -> dict[str, Any]:
    if kind in ("contrastive", "triplet"):
        return {"kind": kind, "margin": margin}
    return {"kind": kind} if kind == "n_pair" else {"kind": kind, "temperature": margin / 2}


def _end(run: Run, steps: int) -> None:
    run.state = "succeeded"
    run.device = "cpu"
    run.step = run.total_steps = steps
    run.steps_per_epoch = STEPS_PER_EPOCH
    run.started_at = run.created_at
    run.ended_at = run.created_at + steps / 100


def _curves(
    spec: ComparisonSpec, run: Run, steps: int, index: int
) -> dict[str, tuple[list[int], list[float | None]]]:
    """Return metric key -> steps, values."""
    random = np.random.default_rng([index, run.position])
    every = np.arange(0, steps + 1)
    settings = spec.arm(run.arm).loss.model_dump()
    margin = float(settings.get("margin", settings.get("temperature", 1.0)))
    pace = 200 * (1 + index % 5)
    fall = np.exp(-every / pace)
    curves = {
        "dynamics.loss": _column(every, margin * (0.1 + fall) * (1 + _noise(random, every, 0.1))),
        "dynamics.active_ratio": _column(
            every, np.clip(0.2 + 0.8 * fall + _noise(random, every, 0.03), 0, 1)
        ),
        "run.elapsed_s": _column(every[1:], np.cumsum(random.uniform(0.008, 0.012, steps))),
    }
    epochs = np.arange(0, steps + 1, STEPS_PER_EPOCH)
    for key, end in EVALUATED.items():
        level = end * (1 - 0.1 * abs(np.log10(margin)))
        rise = level * (1 - 0.8 * np.exp(-epochs / pace)) * (1 - 0.05 * epochs / max(1, steps))
        curve = rise + _noise(random, epochs, 0.005)
        curves[key] = _column(epochs, curve)
        best = int(np.argmax(curve[1:])) + 1
        curves[f"test.{key}"] = _column(epochs[best : best + 1], curve[best : best + 1] - 0.01)
    return curves


def _noise(random: np.random.Generator, like: NDArray[np.int_], size: float) -> Numbers:
    return random.normal(0, size, len(like))


def _column(steps: NDArray[np.int_], values: Numbers) -> tuple[list[int], list[float | None]]:
    return steps.tolist(), values.tolist()


def main() -> None:
    """Fill the database of a data folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_dir", type=Path)
    for name, default in (("comparisons", 20), ("arms", 2), ("seeds", 5), ("steps", 10_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    asked.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(f"sqlite:///{asked.data_dir / 'lossboard.sqlite'}")
    migrations.upgrade(database)
    began = time.perf_counter()
    made = fill(database, asked.comparisons, asked.arms, asked.seeds, asked.steps)
    database.close()
    print(f"{len(made)} comparisons in {time.perf_counter() - began:.1f} s")  # noqa: T201


if __name__ == "__main__":
    main()
