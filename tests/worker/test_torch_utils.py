"""Random streams that differ, and an optimiser for every spec of the catalogue."""

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


def test_random_streams_of_one_seed_differ() -> None:
    seeds = {
        stream_seed(seed, stream) for seed in (0, 1) for stream in ("encoder", "loss", "tuples")
    }
    assert len(seeds) == 6
