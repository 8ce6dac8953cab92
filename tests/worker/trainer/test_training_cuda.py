"""A run on a GPU: it does not wait for the device at each step, and learns the same as on a CPU."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from contract.comparison.spec import parse_spec
from tests.support.specs import small
from worker.errors import DivergedError
from worker.losses.batch import ClassMembers
from worker.losses.triplet_weights import count_triplets
from worker.reporting.reporter import ListReporter
from worker.trainer.member import UPDATE_NORM_EVERY
from worker.trainer.training import Training

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype:UserWarning"),
]

LOSSES: tuple[dict[str, Any], ...] = (
    {"kind": "contrastive"},
    {"kind": "contrastive", "distance": "cosine"},
    {"kind": "triplet"},
    {"kind": "triplet", "reduction": "mean_active"},
    {"kind": "triplet", "selection": "semi_hard"},
    {"kind": "info_nce"},
    {"kind": "sup_con"},
    {"kind": "arcface"},
    {"kind": "center_contrastive"},
)
"""All losses that use every tuple, and those that select some without listing them."""


@pytest.fixture
def _reset_sync_debug_mode() -> Iterator[None]:
    """Reset the mode in which waiting for the device is an error."""
    yield
    torch.cuda.set_sync_debug_mode("default")


def training_of(raw: dict[str, Any], device: str, reporter: ListReporter | None = None) -> Training:
    spec = parse_spec(raw)
    return Training(spec, spec.arms[0], 0, torch.device(device), reporter or ListReporter())


def run(raw: dict[str, Any], device: str) -> ListReporter:
    reporter = ListReporter()
    reporter.ended(training_of(raw, device, reporter).run(lambda: False))
    return reporter


@pytest.mark.usefixtures("_reset_sync_debug_mode")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_steps_do_not_wait_for_the_device(loss: dict[str, Any], precision: str) -> None:
    raw = small(
        encoder={"kind": "convnet", "channels": 8, "embedding_dim": 16},
        training={
            "epochs": 2,
            "batch_size": 64,
            "augmentation": "flip_shift",
            "precision": precision,
        },
        arms=[{"name": "a", "loss": loss}],
    )
    training = training_of(raw, "cuda")
    batches = list(training.member.batches(1))
    for batch in batches[:2]:  # the first calls initialise libraries
        training.member.step += 1
        training._take_step(batch)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    for batch in batches[2:14]:
        training.member.step += 1
        training._take_step(batch)
    torch.cuda.set_sync_debug_mode("default")
    assert training.step > UPDATE_NORM_EVERY
    read = training._step_buffer.read()
    assert [step for step, _ in read] == [*range(1, 15)]
    assert all(values["dynamics.valid_tuples"] > 0 for _, values in read)


@pytest.mark.parametrize("kind", ["contrastive", "triplet"])
def test_a_run_learns_what_it_learns_on_a_cpu(kind: str) -> None:
    raw = small(
        training={"epochs": 3, "batch_size": 64}, arms=[{"name": "a", "loss": {"kind": kind}}]
    )
    near, far = run(raw, "cpu"), run(raw, "cuda")
    assert far.device == torch.cuda.get_device_name()
    assert near.series.keys() == far.series.keys()
    for key in ("dynamics.loss", "dynamics.gradient_norm", "dynamics.active_ratio"):
        (steps, ours), (_, theirs) = (zip(*one.series[key], strict=True) for one in (far, near))
        assert len(steps) == len(theirs)
        assert ours[:10] == pytest.approx(theirs[:10], rel=1e-3)  # small differences grow
        assert ours == pytest.approx(theirs, rel=0.05, abs=0.02)
    assert far.series["test.retrieval.recall_at_1"][0][1] == pytest.approx(
        near.series["test.retrieval.recall_at_1"][0][1], abs=0.03
    )


def test_a_loss_that_is_not_finite_ends_the_run_at_its_own_step() -> None:
    encoder = {"kind": "mlp", "hidden": 64, "layers": 1, "embedding_dim": 16, "normalize": False}
    optimizer = {"kind": "sgd", "lr": 100.0, "momentum": 0.0}
    training = {"epochs": 2, "batch_size": 64, "optimizer": optimizer}
    reporter = ListReporter()
    with pytest.raises(DivergedError) as caught:
        training_of(small(training=training, encoder=encoder), "cuda", reporter).run(lambda: False)
    steps = [step for step, value in reporter.series["dynamics.loss_trained"] if value is None]
    assert steps == [caught.value.step]


@pytest.mark.usefixtures("_reset_sync_debug_mode")
@pytest.mark.parametrize("semi_hard", [False, True])
@pytest.mark.parametrize("classes", [1, 3, 40])
def test_w_is_the_cpus_to_the_bit_and_nothing_waits(classes: int, *, semi_hard: bool) -> None:
    generator = torch.Generator().manual_seed(classes)
    # Whole numbers are full of ties; symmetric, so that they could be distances.
    distances = torch.randint(0, 6, (300, 300), generator=generator).to(torch.float32)
    labels = torch.randint(0, classes, (300,), generator=generator)
    weights, active = count_triplets(
        distances, ClassMembers.from_labels(labels), 1.0, semi_hard=semi_hard
    )
    on_gpu, there = distances.cuda(), labels.cuda()
    torch.cuda.set_sync_debug_mode("error")
    seen, seen_active = count_triplets(
        on_gpu, ClassMembers.from_labels(there), 1.0, semi_hard=semi_hard
    )
    torch.cuda.set_sync_debug_mode("default")
    assert torch.equal(seen.cpu(), weights)
    assert torch.equal(seen_active.cpu(), active)
    assert not weights.any() or classes > 1


def test_a_large_batch_needs_the_memory_of_some_matrices_not_of_all_triplets() -> None:
    """4,096 items of 10 classes have 25 thousand million triplets."""
    labels = torch.arange(4096, device="cuda") % 10
    squared = torch.rand(4096, 4096, device="cuda")
    matrix = squared.numel() * squared.element_size()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    count_triplets(squared, ClassMembers.from_labels(labels), 0.1)
    assert torch.cuda.max_memory_allocated() - before < 16 * matrix
