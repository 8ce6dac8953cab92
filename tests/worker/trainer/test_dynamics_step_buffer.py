"""Steps that are read together, as on a GPU, have the same values as steps read one by one."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from contract.comparison.spec import parse_spec
from tests.support.specs import small
from worker import losses
from worker.errors import DivergedError
from worker.reporting.reporter import ListReporter
from worker.trainer import dynamics
from worker.trainer.dynamics import GPU_STEPS, GPU_WAIT_S, StepBuffer
from worker.trainer.training import Training

CPU, GPU = torch.device("cpu"), torch.device("cuda")
DIVERGING = {
    "epochs": 2,
    "batch_size": 64,
    "optimizer": {"kind": "sgd", "lr": 100.0, "momentum": 0.0},
}


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def numbers(seed: int) -> dynamics.StepNumbers:
    points = torch.randn(24, 8, generator=torch.Generator().manual_seed(seed))
    embeddings: Tensor = points.requires_grad_()
    output = losses.build({"kind": "contrastive"})(embeddings, torch.arange(24) % 4)
    output.value.backward()
    return dynamics.step_numbers(output, [embeddings], [embeddings])


def trained(raw: dict[str, Any], device: torch.device) -> tuple[ListReporter, DivergedError | None]:
    """Train on the CPU, with its steps read as on that device."""
    spec, reporter = parse_spec(raw), ListReporter()
    training = Training(spec, spec.arms[0], 0, CPU, reporter)
    training._step_buffer = StepBuffer(device)
    try:
        reporter.ended(training.run(lambda: False))
    except DivergedError as error:
        return reporter, error
    return reporter, None


def test_a_cpu_is_read_after_each_step_and_a_gpu_when_enough_steps_or_time_went_by() -> None:
    clock = Clock()
    cpu, gpu = StepBuffer(CPU, clock), StepBuffer(GPU, clock)
    for buffer in (cpu, gpu):
        assert not buffer.due()
        buffer.begin()
        buffer.add(1, numbers(1))
    assert cpu.due()
    assert not gpu.due()
    clock.now += GPU_WAIT_S
    assert gpu.due()
    assert [step for step, _ in gpu.read()] == [1]
    assert gpu.read() == []
    for step in range(GPU_STEPS):
        assert not gpu.due()
        gpu.begin()
        gpu.add(step, numbers(step))
    assert gpu.due()


def test_steps_read_together_share_their_time_and_keep_their_own_values() -> None:
    clock = Clock()
    buffer = StepBuffer(GPU, clock)
    for step in (1, 2, 3, 4):
        buffer.begin()
        extra = dynamics.update_norm([torch.ones(2)], [torch.zeros(2)]) if step == 3 else {}
        buffer.add(step, numbers(step) | extra)
        clock.now += 0.5
    seen = dict(buffer.read())
    assert [values.pop("run.elapsed_s") for values in seen.values()] == [0.5, 1.0, 1.5, 2.0]
    assert seen[3].pop("dynamics.update_norm") == 1.0
    assert seen == {step: dynamics.read_values([numbers(step)])[0] for step in (1, 2, 3, 4)}
    clock.now += 100  # an evaluation
    buffer.begin()
    clock.now += 1
    buffer.add(5, numbers(5))
    assert buffer.read()[0][1]["run.elapsed_s"] == 3.0


def test_a_run_read_in_batches_has_the_same_series_to_the_bit() -> None:
    seen = []
    for device in (CPU, GPU):
        reporter, error = trained(small(training={"epochs": 3, "batch_size": 64}), device)
        assert error is None
        elapsed = reporter.series.pop("run.elapsed_s")
        assert [step for step, _ in elapsed] == [*range(1, 49)]
        seen.append(reporter.series)
    assert seen[0] == seen[1]


def test_a_loss_that_is_not_finite_ends_the_run_at_its_own_step_when_read_later() -> None:
    encoder = {"kind": "mlp", "hidden": 64, "layers": 1, "embedding_dim": 16, "normalize": False}
    raw = small(training=DIVERGING, encoder=encoder)
    (near, first), (far, second) = (trained(raw, device) for device in (CPU, GPU))
    assert first is not None
    assert second is not None
    assert (first.step, str(first)) == (second.step, str(second))
    steps = [step for step, value in far.series["dynamics.loss_trained"]]
    assert steps[-1] == first.step
    assert far.series["dynamics.loss_trained"] == near.series["dynamics.loss_trained"]
    assert far.series["dynamics.loss_trained"][-1][1] is None
    assert not math.isnan(far.series["dynamics.loss_trained"][-2][1] or 0.0)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_embeddings_are_float32_in_either_precision(precision: str) -> None:
    raw = small(training={"epochs": 1, "batch_size": 64, "precision": precision})
    spec = parse_spec(raw)
    training = Training(spec, spec.arms[0], 0, CPU, ListReporter())
    (embeddings,) = training.member.model(training.member.data.train.take(torch.arange(8)))
    assert embeddings.dtype == torch.float32
    exact = parse_spec(raw | {"training": {"epochs": 1, "batch_size": 64}})
    (right,) = Training(exact, exact.arms[0], 0, CPU, ListReporter()).member.model(
        training.member.data.train.take(torch.arange(8))
    )
    torch.testing.assert_close(embeddings, right, atol=0.02, rtol=0.02)
    assert torch.equal(embeddings, right) == (precision == "float32")
