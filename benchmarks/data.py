"""How fast items come to the training: against a DataLoader, from the feature cache, into it.

1. An epoch over 60,000 images of 28 x 28 pixels (random ones, shaped as MNIST) at batch 512 with
   the contrastive loss: images as one uint8 tensor, batches by index, against a DataLoader with two
   worker processes over the same tensors, as one would write it. torch has a thread for each core,
   as a trainer that has the machine for itself; with fewer, the workers hide on the cores that are
   left over. Epochs alternate; the median of each way. Goals: 1.1 times as fast with the small
   convnet, 1.6 times with the MLP.
2. The second run on a frozen backbone, 6,000 JPEG files: from the claim to the end of the first
   step, in a process that has warmed up as a trainer does. It finds the images, reads all of them
   for their digest, finds the features and measures the untrained head. Goal: 3 seconds. The
   features in the cache are random numbers, because computing all of them would take minutes.
3. Features into the cache, of 256 JPEG files, against a bare loop that decodes a batch and computes
   it. Both alternate; medians. Goal: at most 1.2 times its time.

In 2 and 3 torch has one thread, and so has the decoding. Takes about four minutes on two cores, and
nothing else should load them. Exits with 1 where a goal is missed.
Command: python -m benchmarks.data
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.report import Row, report
from contract.comparison.data import ImageFolderData
from contract.comparison.encoder import ConvnetEncoder, Encoder, MlpEncoder, Resnet18Encoder
from contract.comparison.spec import parse_spec
from contract.comparison.training import ShuffleSampler
from worker import data, encoders, features, losses
from worker.data import ImageFiles
from worker.encoders.networks import load_image
from worker.features import cache, extract
from worker.reporting.progress import SILENT
from worker.reporting.reporter import ListReporter
from worker.trainer import batches
from worker.trainer.process import warm_up
from worker.trainer.training import Training

CPU = torch.device("cpu")
ITEMS, BATCH = 60_000, 512
EPOCHS: tuple[tuple[str, Encoder, int, float], ...] = (
    ("small convnet", ConvnetEncoder(), 3, 1.1),
    ("MLP", MlpEncoder(), 7, 1.6),
)
"""(name, encoder, repeats, goal)."""
FILES, FILE_SIDE, CLASSES = 6_000, 128, 60
FIRST_STEP_S = 3.0
STARTS = 3
EXTRACTED, EXTRACTIONS = 256, 3
EXTRACTION_RATIO = 1.2
LOADER = "DataLoader, 2 workers"

Batches = Callable[[int], Iterator[tuple[Tensor, Tensor]]]


def main() -> int:
    """Measure, report and say which goals are met."""
    rows: list[Row] = []
    verdicts: list[tuple[str, bool]] = []
    torch.set_num_threads(os.cpu_count() or 1)
    for name, spec, repeats, goal in EPOCHS:
        ours, peer = _epochs(spec, repeats)
        case = f"epoch of {ITEMS:,}, {name}"
        rows.append(Row("data", case, ours, "s", repeats, peer, LOADER))
        verdicts.append((f"{case}: {goal} times as fast", peer / ours >= goal))
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        files = _images(Path(folder) / "images")
        started = _second_start(Path(folder), files)
        rows.append(
            Row("data", "second run to its first step", started, "s", STARTS, FIRST_STEP_S, "goal")
        )
        verdicts.append((f"second run in {FIRST_STEP_S:.0f} s", started <= FIRST_STEP_S))
        ours, bare = _extractions(Path(folder), ImageFiles(files.paths[:EXTRACTED]))
        case = f"features of {EXTRACTED} images"
        rows.append(Row("data", case, ours, "s", EXTRACTIONS, bare, "bare loop"))
        verdicts.append((f"{case} within {EXTRACTION_RATIO}", ours <= EXTRACTION_RATIO * bare))
    report(rows)
    for goal_of, met in verdicts:
        print(f"{'met   ' if met else 'MISSED'} {goal_of}")
    return int(not all(met for _, met in verdicts))


def _epochs(spec: Encoder, repeats: int) -> tuple[float, float]:
    """Return the median seconds of an epoch, ours and the DataLoader's."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (ITEMS, 1, 28, 28), generator=generator, dtype=torch.uint8)
    labels = torch.randint(0, 10, (ITEMS,), generator=generator)

    def by_index(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        for batch in batches.epoch_batches(
            labels, sampler_spec=ShuffleSampler(), batch_size=BATCH, seed=0, epoch=epoch
        ):
            yield images[batch], labels[batch]

    loader = DataLoader(
        TensorDataset(images, labels), BATCH, shuffle=True, num_workers=2, drop_last=True
    )
    ways: dict[Batches, list[float]] = {by_index: [], lambda _: iter(loader): []}
    train = [_training(spec) for _ in ways]
    for repeat in range(repeats):
        for step, (way, took) in zip(train, ways.items(), strict=True):
            began = time.perf_counter()
            for items, own in way(repeat + 1):
                step(items, own)
            took.append(time.perf_counter() - began)
    ours, peer = (statistics.median(took) for took in ways.values())
    return ours, peer


def _training(spec: Encoder) -> Callable[[Tensor, Tensor], None]:
    """A training that takes optimiser steps, after a warm-up."""
    torch.manual_seed(0)
    encoder: nn.Module = encoders.build(spec, (1, 28, 28))
    loss = losses.build({"kind": "contrastive"})
    optimizer = torch.optim.Adam(encoder.parameters())

    def step(items: Tensor, labels: Tensor) -> None:
        optimizer.zero_grad()
        loss(encoder(items), labels, check_values=False).value.backward()
        optimizer.step()

    step(torch.zeros(BATCH, 1, 28, 28, dtype=torch.uint8), torch.arange(BATCH) % 10)
    return step


def _images(folder: Path) -> ImageFiles:
    """Write JPEG files with visible patterns, one folder per class."""
    rng = np.random.default_rng(0)
    paths = []
    for at in range(FILES):
        own = folder / f"class {at % CLASSES:02}"
        own.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        path = own / f"{at:05}.jpg"
        coarse.resize((FILE_SIDE, FILE_SIDE), Image.Resampling.BICUBIC).save(path, quality=90)
        paths.append(path)
    return ImageFiles(tuple(paths))


def _second_start(folder: Path, files: ImageFiles) -> float:
    """Return the median seconds to the end of the first step."""
    pool = data.load(_folder_data(folder), folder / "datasets")  # the first run checks all images
    assert isinstance(pool.items, ImageFiles)
    assert len(pool.items) == len(files)
    backbone = encoders.backbone(_frozen(), folder=folder)
    shape = (FILES, backbone.features)

    def random() -> Generator[np.ndarray, None, None]:
        yield np.random.default_rng(0).standard_normal(shape, dtype=np.float32)

    key = extract.cache_key(pool.items, backbone, SILENT)
    cache.cached_array(
        folder / "cache" / extract.FEATURES_FOLDER,
        key,
        shape,
        random,
        limit_bytes=0,
        progress=SILENT,
    )
    command = [sys.executable, "-m", "benchmarks.data", "start", str(folder)]
    environ = {
        "LOSSBOARD_DATASETS_DIR": str(folder / "datasets"),
        "LOSSBOARD_CACHE_DIR": str(folder / "cache"),
    }
    starts = [
        subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
        for _ in range(STARTS)
    ]
    return statistics.median(float(one.stdout) for one in starts)


def start(folder: Path) -> float:
    """Return the seconds to the end of the first step, in a separate process."""
    torch.set_num_threads(1)
    warm_up()
    spec = parse_spec(
        {
            "name": "second run",
            "data": _folder_data(folder).model_dump(),
            "encoder": _frozen().model_dump(),
            "arms": [{"name": "contrastive", "loss": {"kind": "contrastive"}}],
            "seeds": [0],
        }
    )
    began = time.perf_counter()
    told = FirstStep()
    Training(spec, spec.arms[0], 0, CPU, told).run(lambda: told.at is not None)
    assert told.at is not None
    return told.at - began


class FirstStep(ListReporter):
    """A reporter that notes when the first step was done."""

    at: float | None = None

    def points(self, step: int, values: Mapping[str, float]) -> None:
        """Values of a step."""
        if step == 1 and self.at is None:
            self.at = time.perf_counter()


def _extractions(folder: Path, files: ImageFiles) -> tuple[float, float]:
    """Return the median seconds of ours, into an empty cache, and of the bare loop."""
    backbone = encoders.backbone(_frozen(), folder=folder)

    def bare() -> Tensor:
        found = []
        with torch.inference_mode():
            for first in range(0, len(files), extract.BATCH):
                paths = files.paths[first : first + extract.BATCH]
                images = [load_image(path, backbone.resize, backbone.crop) for path in paths]
                found.append(backbone(torch.stack(images)))
        return torch.cat(found)

    ours_s, bare_s = [], []
    for repeat in range(EXTRACTIONS):
        began = time.perf_counter()
        own = features.extract_features(
            files, backbone, CPU, cache=folder / f"empty {repeat}", progress=SILENT
        )
        ours_s.append(time.perf_counter() - began)
        began = time.perf_counter()
        expected = bare()
        bare_s.append(time.perf_counter() - began)
        torch.testing.assert_close(own, expected)
    return statistics.median(ours_s), statistics.median(bare_s)


def _folder_data(folder: Path) -> ImageFolderData:
    return ImageFolderData(folder=str(folder / "images"))


def _frozen() -> Resnet18Encoder:
    return Resnet18Encoder(weights="random")


if __name__ == "__main__":
    if sys.argv[1:2] == ["start"]:
        print(start(Path(sys.argv[2])))
        sys.exit()
    sys.exit(main())
