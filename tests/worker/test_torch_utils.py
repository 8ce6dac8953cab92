"""Random streams that differ, and an optimiser for every spec of the catalogue."""

from typing import Any

import pytest
import torch
from pydantic import TypeAdapter

from contract.catalogue import catalogue
from contract.comparison.training import Optimizer
from worker.torch_utils import OPTIMIZERS, build_optimizer, stream_seed


def test_every_optimiser_of_the_catalogue_can_be_built() -> None:
    assert len(catalogue.OPTIMIZERS) == 3
    assert list(OPTIMIZERS) == [row.section for row in catalogue.OPTIMIZERS]
    for row in catalogue.OPTIMIZERS:
        spec = TypeAdapter[Optimizer](Optimizer).validate_python({"kind": row.kind})
        optimizer = build_optimizer(spec, [torch.nn.Parameter(torch.zeros(1))])
        assert optimizer.param_groups[0]["lr"] == 1e-3


@pytest.mark.parametrize("kind", [row.kind for row in catalogue.OPTIMIZERS])
def test_parameters_of_a_loss_are_a_group_where_they_have_a_learning_rate(kind: str) -> None:
    own, of_loss = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(3))
    settings = {"kind": kind, "lr": 0.01, "weight_decay": 0.2}

    def groups(parameters: list[torch.nn.Parameter], **more: float) -> list[dict[str, Any]]:
        spec = TypeAdapter[Optimizer](Optimizer).validate_python({**settings, **more})
        return build_optimizer(spec, [own], parameters).param_groups

    [shared] = groups([of_loss])
    assert [id(one) for one in shared["params"]] == [id(own), id(of_loss)]
    assert len(groups([], loss_lr=0.5)) == 1
    first, second = groups([of_loss], loss_lr=0.5)
    assert (first["params"], second["params"]) == ([own], [of_loss])
    assert (first["lr"], second["lr"]) == (0.01, 0.5)
    assert first["weight_decay"] == second["weight_decay"] == 0.2


def test_random_streams_of_one_seed_differ() -> None:
    seeds = {
        stream_seed(seed, stream) for seed in (0, 1) for stream in ("encoder", "loss", "tuples")
    }
    assert len(seeds) == 6
