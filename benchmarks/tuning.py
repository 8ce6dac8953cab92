"""A search of 24 trials an arm: as one computation, trial by trial, as a script, and as a product.

The first part trains the same 24 settings of loss numbers, learning rate and weight decay three
ways in this process with one thread: together, as a slot trains them; one by one, as the same
worker trains runs that do not fit together; and by a script with Optuna and pytorch-metric-learning
(AccuracyCalculator with faiss, a DataLoader). All three log every step and measure retrieval on the
validation split after every epoch; the first two measure it before the first step too, and all
their retrieval metrics. The ways follow each other in turn, each in two halves around the others.
CPU seconds. Digits with an MLP 64-128-64, 20 epochs at batch 64; and a table of 6,000 random but
separable rows of 512 numbers in 10 classes under a linear map to 128 dimensions, 10 epochs at batch
128.

The second part submits comparisons to the running product on an empty folder, with two slots, and
waits for their end: the preset `digits-tuned` (68 runs), and the preset `mlrc` on such a table of
100 classes (five losses, 24 trials of four folds, ten final seeds: 530 runs).

About a quarter of an hour; `--part` names one part alone, and writes nothing.
Command: python -m benchmarks.tuning
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from backend.tuning.proposals import propose
from benchmarks import tuning_peer
from benchmarks.report import Row, report
from benchmarks.trials import train_one_by_one, train_together, trial_specs
from contract.catalogue.presets import PRESETS
from contract.comparison.spec import ComparisonSpec, parse_spec
from contract.comparison.tuning import Value
from tests.support.stack import running_stack
from worker import data

BENCH: Final = "tuning"
TRIALS: Final = 24
ONE_BY_ONE: Final = "one by one"
SCRIPT: Final = "Optuna + pytorch-metric-learning"
TABLE_ITEMS, TABLE_FEATURES, TABLE_CLASSES = 6_000, 512, 10
SPLIT_CLASSES: Final = 100
"""Of the table for `mlrc`, whose splits are by class."""
GOALS: Final[Mapping[tuple[str, str], tuple[float, float]]] = {
    ("digits", "contrastive"): (5.0, 6.0),
    ("digits", "triplet"): (4.0, 6.0),
    ("table", "contrastive"): (1.7, 2.5),
    ("table", "triplet"): (1.7, 4.5),
}
"""Data and loss -> how many times faster than one by one, and than the script."""
PRODUCT_S: Final = {"digits-tuned": 60.0, "mlrc": 900.0}
_OPTIMIZER: Final[dict[str, Any]] = {
    "training.optimizer.lr": {"low": 1e-4, "high": 1e-2, "log": True},
    "training.optimizer.weight_decay": {"low": 1e-6, "high": 1e-2, "log": True},
}
ARMS: Final[dict[str, dict[str, Any]]] = {
    "contrastive": {
        "loss": {"kind": "contrastive"},
        "search": {
            "loss.margin": {"low": 0.1, "high": 2.0},
            "loss.positive_margin": {"low": 0.0, "high": 0.5},
            **_OPTIMIZER,
        },
    },
    "triplet": {
        "loss": {"kind": "triplet"},
        "search": {"loss.margin": {"low": 0.02, "high": 2.0, "log": True}, **_OPTIMIZER},
    },
}

Settings = Sequence[Mapping[str, Value]]


def main() -> int:
    """Measure and report. Returns 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tuning")
    parser.add_argument("--part", choices=("ways", "product"))
    part = parser.parse_args().part
    torch.set_num_threads(1)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if part != "product":
            for where, kind in GOALS:
                table = _table(folder, TABLE_CLASSES) if where == "table" else None
                rows += _ways(spec_of(where, kind, table=table), where, kind)
        if part != "ways":
            rows += _product(folder)
    good = report(rows, document=part is None, versions={"optuna": metadata.version("optuna")})
    return int(not good)


def spec_of(
    where: str, kind: str, *, table: Path | None = None, epochs: int | None = None
) -> ComparisonSpec:
    """Return a comparison of one arm that is tuned.

    Args:
        where: "digits" or "table".
        kind: of the loss.
        table: file of the table.
        epochs: of each trial; as the module says by default.
    """
    if table is None:
        of_data: dict[str, Any] = {"kind": "digits"}
        encoder = {"kind": "mlp", "hidden": 128, "layers": 1, "embedding_dim": 64}
        training = {"epochs": epochs or 20, "batch_size": 64}
    else:
        of_data = {"kind": "features", "file": str(table)}
        encoder = {"kind": "mlp", "layers": 0, "embedding_dim": 128}
        training = {"epochs": epochs or 10, "batch_size": 128}
    return parse_spec(
        {
            "name": f"{where}, {kind}",
            "data": of_data,
            "encoder": encoder,
            "training": training,
            "tuning": {"trials": TRIALS},
            "arms": [{"name": kind, **ARMS[kind]}],
            "seeds": [0, 1, 2],
        }
    )


def settings_of(spec: ComparisonSpec) -> list[dict[str, Value]]:
    """Return the settings of the trials of a comparison of one arm, drawn at random."""
    [arm] = spec.arms
    assert spec.tuning is not None
    drawn = [propose(arm.search, [], at, spec.tuning.seed, "random") for at in range(TRIALS)]
    return [params for params in drawn if params is not None]


def _ways(spec: ComparisonSpec, where: str, kind: str) -> list[Row]:
    settings = settings_of(spec)
    items = data.load(spec.data).dataset()
    specs = trial_specs(spec, kind, settings)
    for way in (train_together, train_one_by_one):
        way(specs[:1])  # the first one imports more of torch
    took: dict[str, float] = dict.fromkeys((ONE_BY_ONE, SCRIPT), 0.0)
    first, second = slice(TRIALS // 2), slice(TRIALS // 2, None)
    peer = partial(tuning_peer.search, spec, kind, data=items)
    took[SCRIPT] += cpu_s(partial(peer, settings[first]))
    took[ONE_BY_ONE] += cpu_s(partial(train_one_by_one, specs[first]))
    ours = cpu_s(partial(train_together, specs))
    took[ONE_BY_ONE] += cpu_s(partial(train_one_by_one, specs[second]))
    took[SCRIPT] += cpu_s(partial(peer, settings[second]))
    case = f"{TRIALS} trials, {where}, {kind}"
    of_alone, of_script = GOALS[where, kind]
    return [
        Row(BENCH, case, ours, "s", TRIALS, took[ONE_BY_ONE], ONE_BY_ONE, least_ratio=of_alone),
        Row(BENCH, case, ours, "s", TRIALS, took[SCRIPT], SCRIPT, least_ratio=of_script),
    ]


def cpu_s(train: Callable[[], object]) -> float:
    """Return the CPU seconds that a training takes."""
    began = time.process_time()
    train()
    return time.process_time() - began


def _product(folder: Path) -> list[Row]:
    table = _table(folder, SPLIT_CLASSES)
    changes: dict[str, dict[str, Any]] = {
        "digits-tuned": {},
        "mlrc": {
            "data": {"kind": "features", "file": str(table), "split": "class"},
            "encoder": {"kind": "mlp", "layers": 0, "embedding_dim": 128},
        },
    }
    rows = []
    with running_stack(folder / "data", "--no-demo", "--workers", "2") as stack:
        for name, change in changes.items():
            [preset] = [one for one in PRESETS if one.id == name]
            began = time.monotonic()
            comparison = stack.submit({**(preset.spec or {}), **change})
            runs = stack.wait_ended(comparison, timeout=3600)
            took = time.monotonic() - began
            bad = [run for run in runs if run["state"] != "succeeded"]
            assert not bad, bad
            done = stack.get(f"/comparisons/{comparison}/runs", role="all")["runs"]
            case = f"product, {name}: {len(done)} runs, wall"
            rows.append(Row(BENCH, case, took, "s", 1, limit=PRODUCT_S[name]))
    return rows


def _table(folder: Path, classes: int) -> Path:
    """Write random features around their classes' centres, near enough to need learning."""
    path = folder / f"table-{classes}.npz"
    if not path.exists():
        rng = np.random.default_rng(0)
        labels = np.arange(TABLE_ITEMS) % classes
        centres = rng.normal(size=(classes, TABLE_FEATURES))
        noise = rng.normal(size=(TABLE_ITEMS, TABLE_FEATURES))
        features = np.maximum(centres[labels] + 2 * noise, 0).astype(np.float32)
        np.savez(path, features=features, labels=labels)
    return path


if __name__ == "__main__":
    sys.exit(main())
