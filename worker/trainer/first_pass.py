"""What the losses say about the untrained network: one full pass, nothing learnt."""

import copy
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from worker.data import Split
from worker.losses import Loss, LossOutput


@torch.no_grad()
def first_pass(
    encoder: nn.Module,
    loss: Loss,
    train: Split,
    batches: Iterable[Tensor],
    generator: torch.Generator,
) -> dict[str, float]:
    """Mean loss over all valid tuples of all batches, and the share that is active.

    It is the point at step 0, the initial value against which the loss's decay is told. A copy of
    the encoder makes the pass, so that no running statistic of the real one moves.
    """
    encoder = copy.deepcopy(encoder)
    total, active, valid = 0.0, 0, 0
    for batch in batches:
        output: LossOutput = loss(
            encoder(train.items[batch]),
            train.labels[batch],
            generator=generator,
            check_values=False,
        )
        total += sum(float(part.total) for part in output.parts.values())
        active += int(output.active)
        valid += int(output.valid)
    if not valid:
        return {}
    return {"dynamics.loss": total / valid, "dynamics.active_ratio": active / valid}
