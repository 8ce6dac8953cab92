"""On a GPU: losses, whole steps, what measuring costs, precision and compilation, and waits.

- Batch-all triplet and contrastive, forward and backward, 128 to 4,096 items of 10 classes, beside
  pytorch-metric-learning and the two matrix products that no exact way saves. Memory is what a
  call adds to the allocator's peak. The peer lists the triplets: above 1,024 it does not fit.
- Steps of a small convnet on MNIST-sized images, with everything that a run measures, beside a
  plain loop: DataLoader with two workers, pytorch-metric-learning's loss over all tuples, loss and
  gradient norm read every step.
- The share of a step that measuring takes: steps that measure and read beside steps of the same
  losses without.
- float32 beside TF32, bfloat16 and torch.compile.
- How often a hundred steps wait for the device and copy from it, told by PyTorch's profiler.
- The heads of 5, 20 and 100 seeds in one computation, beside one after another.

Random data, warmed up, medians; float32 is exact unless a row says otherwise. About three minutes
on an H100, and some more for the seeds; `losses`, `steps`, `measuring`, `precision`, `waits` and
`seeds` run these alone, and document nothing. Without a CUDA device it says that it is skipped.
Command: python -m benchmarks.gpu
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch._dynamo.exc import BackendCompilerFailed
from torch.profiler import ProfilerActivity, profile

from benchmarks import seeds_together
from benchmarks.gpu_clock import BLOCKS, STEPS, TIMES, milliseconds, pace_of, peak
from benchmarks.gpu_steps import CLASSES, PeerSteps, Steps
from benchmarks.loss_ways import FLOOR, OURS, PEER, WAYS
from benchmarks.report import Row, report
from contract.comparison.encoder import ConvnetEncoder, Resnet18Encoder
from worker import encoders, losses

DIM: Final = 128
SEEDS: Final = (5, 20, 100)
LARGEST: Final = {"triplet": 1024, "contrastive": 4096}
"""Of the peer's batches; it lists every triplet, 99 million of 1,024 items."""
WAITS: Final = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize")
COPIES: Final = "Memcpy DtoH"


def main() -> None:
    """Measure and report, or say that there is no GPU."""
    if not torch.cuda.is_available():
        print("skipped: no CUDA device")
        return
    print(torch.cuda.get_device_name(), "torch", torch.__version__, flush=True)
    torch.backends.cudnn.allow_tf32 = False  # as a trainer
    rows: list[Row] = []
    chosen = sys.argv[1:]
    for name in chosen or SECTIONS:
        began = time.perf_counter()
        own = list(SECTIONS[name]())
        report(own, document=False)  # what is seen is seen, whatever comes next
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
        rows += own
        torch.cuda.empty_cache()
    report(rows, document=not chosen)


def loss_rows() -> Iterator[Row]:
    """Measure a call of a loss, forward and backward."""
    for kind in ("contrastive", "triplet"):
        for batch in (128, 256, 512, 1024, 2048, 4096):
            embeddings, labels = _batch(batch)
            ways: dict[str, Callable[[], Any]] = {OURS: _ours(kind, embeddings, labels)}
            for name in (PEER, FLOOR):
                if name == FLOOR or batch <= LARGEST[kind]:
                    ways[name] = partial(_there_and_back, WAYS[kind][name], embeddings, labels)
            took = {name: milliseconds(way) for name, way in ways.items()}
            peaks = {name: peak(way) for name, way in ways.items()}
            case = f"{kind}, batch {batch}, {CLASSES} classes"
            for name in list(ways)[1:]:
                yield Row("gpu", f"{case}: time", took[OURS], "ms", TIMES, took[name], name)
                if name == PEER:
                    yield Row("gpu", f"{case}: memory", peaks[OURS], "MiB", 1, peaks[name], name)
            if PEER not in ways:
                yield Row("gpu", f"{case}: memory", peaks[OURS], "MiB", 1)


def step_rows() -> Iterator[Row]:
    """Measure items per second of whole steps with all measurements."""
    for kind, batch in (
        ("contrastive", 128),
        ("triplet", 128),
        ("contrastive", 512),
        ("triplet", 512),
        ("contrastive", 2048),
        ("triplet", 2048),
    ):
        ours = Steps(kind, batch)
        pace = pace_of(ours.step, batch)
        case = f"{kind}, convnet, 28 x 28, batch {batch}"
        if batch > LARGEST[kind]:
            yield Row("gpu", case, pace, "items/s", BLOCKS * STEPS, higher_is_better=True)
            continue
        peer = PeerSteps(kind, batch)
        theirs, name = pace_of(peer.step, batch), f"{PEER}, DataLoader"
        yield Row("gpu", case, pace, "items/s", BLOCKS * STEPS, theirs, name, higher_is_better=True)
        peer.close()


def measuring_rows() -> Iterator[Row]:
    """Measure the share of a step that its measurements take."""
    for kind in ("contrastive", "triplet"):
        for batch in (128, 512):
            ways = Steps(kind, batch), Steps(kind, batch, measure=False)
            paces: tuple[list[float], list[float]] = ([], [])
            for _ in range(BLOCKS):
                for steps, seen in zip(ways, paces, strict=True):
                    seen.append(pace_of(steps.step, batch, blocks=1))
            shares = [100 * (1 - slow / fast) for slow, fast in zip(*paces, strict=True)]
            case = f"{kind}, batch {batch}: measuring"
            yield Row("gpu", case, statistics.median(shares), "% of a step", BLOCKS * STEPS)


def precision_rows() -> Iterator[Row]:
    """Measure an encoder's steps in other precisions, and compiled."""
    cases = (
        ("convnet, 28 x 28, batch 512", ConvnetEncoder(), (1, 28, 28), 512),
        (
            "ResNet-18, 64 x 64, batch 256",
            Resnet18Encoder(tuning="full", weights="random"),
            (3, 64, 64),
            256,
        ),
    )
    for name, spec, shape, batch in cases:
        exact = None
        for way in ("float32", "TF32", "bfloat16", "float32, compiled", "bfloat16, compiled"):
            torch.backends.cudnn.allow_tf32 = way == "TF32"
            torch.backends.cuda.matmul.allow_tf32 = way == "TF32"
            steps = Steps(
                "triplet",
                batch,
                encoder=encoders.build(spec, shape),
                shape=shape,
                precision="bfloat16" if way.startswith("bfloat16") else "float32",
                compiled=way.endswith("compiled"),
            )
            try:
                pace = pace_of(steps.step, batch)
            except BackendCompilerFailed as error:
                print(f"{name}, {way}: nothing compiles here: {error}", flush=True)
                continue
            exact = exact or pace
            yield Row(
                "gpu",
                f"{name}: {way}",
                pace,
                "items/s",
                BLOCKS * STEPS,
                None if way == "float32" else exact,
                "" if way == "float32" else "float32",
                higher_is_better=True,
            )
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


def waiting_rows() -> Iterator[Row]:
    """Count how often a hundred steps wait for the device, without and with readings."""
    for kind in ("contrastive", "triplet"):
        for reads in (False, True):
            steps = Steps(kind, 128, read=reads)
            for _ in range(5):
                steps.step()
            torch.cuda.synchronize()
            with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
                for _ in range(100):
                    steps.step()
            events = seen.key_averages()
            # The profiler itself waits once, at its end.
            waits = sum(event.count for event in events if event.key in WAITS)
            copies = sum(event.count for event in events if event.key.startswith(COPIES))
            case = f"{kind}, 100 steps, {'with' if reads else 'without'} readings"
            yield Row("gpu", f"{case}: waits", float(waits), "waits", 1)
            yield Row("gpu", f"{case}: from the device", float(copies), "copies", 1)


def _batch(batch: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator("cuda").manual_seed(0)
    points = torch.randn(batch, DIM, generator=generator, device="cuda")
    embeddings = nn.functional.normalize(points, dim=1)
    labels = torch.randint(0, CLASSES, (batch,), generator=generator, device="cuda")
    return embeddings.requires_grad_(), labels


def _ours(kind: str, embeddings: Tensor, labels: Tensor) -> Callable[[], Any]:
    loss = losses.build({"kind": kind})
    return partial(_there_and_back, partial(_value, loss), embeddings, labels)


def _value(loss: nn.Module, embeddings: Tensor, labels: Tensor) -> Tensor:
    """As a run asks for it: nothing waits for the device."""
    value: Tensor = loss(embeddings, labels, check_values=False).value
    return value


def _there_and_back(way: Callable[..., Tensor], embeddings: Tensor, labels: Tensor) -> None:
    way(embeddings, labels).backward()


def seeds_rows() -> Iterator[Row]:
    """Measure all seeds of an arm as one computation, against one after another."""
    for row in seeds_together.rows(torch.device("cuda"), SEEDS):
        yield replace(row, bench="gpu", case=f"seeds together: {row.case}", least_ratio=None)


SECTIONS: Final[dict[str, Callable[[], Iterator[Row]]]] = {
    "losses": loss_rows,
    "steps": step_rows,
    "measuring": measuring_rows,
    "precision": precision_rows,
    "waits": waiting_rows,
    "seeds": seeds_rows,
}


if __name__ == "__main__":
    main()
