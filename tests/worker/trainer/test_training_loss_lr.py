"""The learning rate of a loss's own parameters."""

from typing import Any

import pytest
import torch
from torch import Tensor

from contract.comparison.encoder import MlpEncoder
from contract.comparison.loss import ArcFaceLoss, TripletLoss
from contract.comparison.spec import parse_spec
from contract.comparison.training import SgdOptimizer
from contract.comparison.training import Training as TrainingSpec
from tests.support.specs import small
from worker.reporting.reporter import ListReporter
from worker.trainer.divergence import likely_cause
from worker.trainer.training import Training


def changes_of_a_step(kind: str, **training: Any) -> tuple[Tensor, Tensor]:
    """Return how far the first step moves the encoder's weights and the loss's parameters."""
    arm = {"name": "arm", "loss": {"kind": kind}, "training": training.pop("own", {})}
    shared = {"epochs": 1, "batch_size": 64, **training}
    spec = parse_spec(small(arms=[arm], training=shared))
    built = Training(spec, spec.arms[0], 0, torch.device("cpu"), ListReporter())
    parts = (built.member.model, built.member.loss)
    before = [torch.nn.utils.parameters_to_vector(part.parameters()).clone() for part in parts]
    built._take_step(next(built.member.batches(1)))
    after = [torch.nn.utils.parameters_to_vector(part.parameters()) for part in parts]
    encoder, loss = (new - old for new, old in zip(after, before, strict=True))
    return encoder.detach(), loss.detach()


@pytest.mark.parametrize("kind", ["arcface", "center_contrastive"])
def test_it_changes_the_steps_of_those_alone(kind: str) -> None:
    sgd = {"kind": "sgd", "lr": 0.001, "momentum": 0.0}
    encoder, loss = changes_of_a_step(kind, optimizer=sgd)
    faster = {**sgd, "loss_lr": 0.1}
    for training in ({"optimizer": faster}, {"optimizer": sgd, "own": {"optimizer": faster}}):
        same, more = changes_of_a_step(kind, **training)
        assert torch.equal(same, encoder)
        torch.testing.assert_close(more, 100 * loss, rtol=1e-3, atol=3e-5)


def test_a_diverged_run_names_the_one_of_the_loss_where_it_is_higher() -> None:
    def cause(loss: ArcFaceLoss | TripletLoss, loss_lr: float | None) -> str:
        training = TrainingSpec(optimizer=SgdOptimizer(lr=0.1, loss_lr=loss_lr))
        return likely_cause(training, MlpEncoder(), loss)

    assert "loss's own parameters, 5; try 0.5" in cause(ArcFaceLoss(), 5.0)
    for told in (cause(ArcFaceLoss(), None), cause(ArcFaceLoss(), 0.01), cause(TripletLoss(), 5.0)):
        assert "own parameters" not in told
