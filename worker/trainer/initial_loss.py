"""What the losses say about the untrained network: one full pass, nothing learnt."""

import copy
from collections.abc import Iterable

import torch
from torch import Tensor

from worker.data import Split
from worker.losses import Loss
from worker.trainer.model import Model, loss_of


@torch.no_grad()
def first_pass(
    model: Model,
    loss: Loss,
    train: Split,
    batches: Iterable[Tensor],
    generator: torch.Generator,
) -> dict[str, float]:
    """Mean loss over all valid tuples of all batches, and the share that is active.

    It is the point at step 0, the initial value against which the loss's decay is told. A copy of
    the model makes the pass, so that no running statistic of the real one moves.
    """
    model = copy.deepcopy(model)
    seen = torch.zeros(3, dtype=torch.float64, device=train.labels.device)
    for batch in batches:
        part = train.take(batch)
        output = loss_of(loss, model(part), part.labels, generator)
        totals = [part.total.to(torch.float64) for part in output.parts.values()]
        seen += torch.stack([torch.stack(totals).sum(), output.active, output.valid])
    total, active, valid = seen.tolist()
    if not valid:
        return {}
    return {"dynamics.loss": total / valid, "dynamics.active_ratio": active / valid}
