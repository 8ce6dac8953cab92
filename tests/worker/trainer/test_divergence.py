"""Embeddings that float32 cannot hold, and the likely cause of a divergence."""

from typing import Any

import pytest
import torch
from pydantic import TypeAdapter

from contract.comparison.encoder import MlpEncoder
from contract.comparison.loss import ContrastiveLoss
from contract.comparison.training import Training
from worker.trainer.divergence import Lengths, likely_cause

UNIT = torch.nn.functional.normalize(torch.ones(3, 4), dim=1)


@pytest.mark.parametrize(
    ("points", "normalize", "part"),
    [
        (UNIT, True, ""),
        (UNIT * 1e18, False, ""),
        (UNIT * 0, False, ""),
        (UNIT * 3e19, False, "float32 can square"),
        (UNIT * torch.inf, False, "float32 can square"),
        (UNIT * torch.nan, True, "float32 can square"),
        (torch.cat((UNIT, torch.zeros(1, 4))), True, "lost their length"),
        (UNIT.bfloat16().float(), True, ""),
    ],
)
def test_lengths(points: torch.Tensor, normalize: bool, part: str) -> None:
    lengths = Lengths(normalize=normalize)
    assert lengths.problem() == ""
    lengths.see((UNIT, points))
    problem = lengths.problem()
    assert (part in problem) if part else not problem
    assert lengths.problem() == "", "told once"


def test_what_a_normalising_encoder_gives_for_lengths_beyond_float32_is_found() -> None:
    """torch divides by an infinite length, which leaves zeros: finite, and without meaning."""
    points = torch.nn.functional.normalize(torch.full((2, 4), 3e19), dim=1)
    assert bool(points.isfinite().all())
    lengths = Lengths(normalize=True)
    lengths.see((points,))
    assert lengths.problem()


@pytest.mark.parametrize(
    ("optimizer", "named"),
    [
        ({"kind": "adamw", "lr": 0.1, "weight_decay": 50}, True),
        ({"kind": "sgd", "lr": 0.5, "weight_decay": 3}, True),
        ({"kind": "adamw", "lr": 0.01, "weight_decay": 50}, False),
        (
            {"kind": "adam", "lr": 0.1, "weight_decay": 50},
            False,
        ),  # its steps have a size of their own
    ],
)
def test_too_much_weight_decay_is_named_first(optimizer: dict[str, Any], named: bool) -> None:
    training = TypeAdapter(Training).validate_python({"optimizer": optimizer})
    cause = likely_cause(training, MlpEncoder(), ContrastiveLoss())
    assert cause.startswith("The weight decay") == named
    if named:
        assert "times the learning rate" in cause
