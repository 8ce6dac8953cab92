"""Comparison of a loss of distances with its reference: value, gradient, parts and counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.support.reference_losses import REFERENCE_LOSSES, LossBatch, PartTally, Tally
from worker import losses
from worker.losses import LossOutput, Part

REDUCTIONS = ("mean", "sum", "mean_active")
OF_THE_LOSS = ("positive_margin", "hinge")
"""Settings that change the loss of a tuple, and so its reference."""
Close = Callable[[Tensor, Tensor], None]


def compute_loss(
    kind: str,
    batch: LossBatch,
    *,
    generator: torch.Generator | None = None,
    check_values: bool = True,
    **settings: Any,
) -> LossOutput:
    """Compute a loss of a batch, with the batch's distance."""
    loss = losses.build({"kind": kind, "distance": batch.distance, **settings})
    output: LossOutput = loss(
        batch.embeddings,
        batch.labels,
        others=batch.others,
        other_labels=batch.other_labels,
        generator=generator,
        check_values=check_values,
    )
    return output


def gradients(value: Tensor, batch: LossBatch) -> tuple[Tensor, ...]:
    """Return the gradients at the embeddings, and at the other modality's if there are some."""
    points = [batch.embeddings] if batch.others is None else [batch.embeddings, batch.others]
    return torch.autograd.grad(value, points, retain_graph=True)


def copy_with_gradients(batch: LossBatch, dtype: torch.dtype) -> LossBatch:
    """Return the batch with copies of its points in a type, which take gradients."""
    others = batch.others
    return replace(
        batch,
        embeddings=batch.embeddings.detach().to(dtype).requires_grad_(),
        others=None if others is None else others.detach().to(dtype).requires_grad_(),
    )


def assert_agrees(
    kind: str,
    batch: LossBatch,
    *,
    margin: float,
    tolerance: float,
    chosen: Sequence[Any] | None = None,
    **settings: Any,
) -> None:
    """Assert that a loss agrees with its reference in every reduction.

    The reference is computed in float64, the tested loss in the batch's own type.

    Args:
        kind: of the loss.
        batch: of embeddings.
        margin: of the loss.
        tolerance: relative and absolute.
        chosen: the tuples that the selection in the settings should train on; None for all.
        settings: further ones of the loss, and `seed` of the generator.
    """

    def close(seen: Tensor, expected: Tensor) -> None:
        torch.testing.assert_close(
            seen.detach().to(torch.float64),
            expected.detach().to(torch.float64),
            rtol=tolerance,
            atol=tolerance,
            equal_nan=True,
        )

    ours, exact = (
        copy_with_gradients(batch, batch.embeddings.dtype),
        copy_with_gradients(batch, torch.float64),
    )
    form = {name: value for name, value in settings.items() if name in OF_THE_LOSS}
    every = REFERENCE_LOSSES[kind](exact, margin, **form)
    trained = every if chosen is None else REFERENCE_LOSSES[kind](exact, margin, chosen, **form)
    seed = settings.pop("seed", 0)
    weight = settings.get("pull_weight", 0.5)
    for reduction in (*REDUCTIONS, "balanced") if kind == "contrastive" else REDUCTIONS:
        generator = torch.Generator().manual_seed(seed)
        output = compute_loss(
            kind, ours, margin=margin, reduction=reduction, generator=generator, **settings
        )
        assert output.value.dtype == batch.embeddings.dtype
        close(output.value, trained.value(reduction, weight))
        expected = gradients(trained.value(reduction, weight), exact)
        for seen, right in zip(gradients(output.value, ours), expected, strict=True):
            close(seen, right)
    _assert_same_parts(output.parts, every.parts, close)
    assert (output.selected is None) == (chosen is None)
    if output.selected is not None:
        _assert_same_parts(output.selected, trained.parts, close)
    _assert_same_totals(output, every, close)


def _assert_same_parts(
    seen: Mapping[str, Part], expected: dict[str, PartTally], close: Close
) -> None:
    assert list(seen) == list(expected)
    for name, part in expected.items():
        assert int(seen[name].active) == part.active
        assert int(seen[name].valid) == part.valid
        assert not seen[name].total.requires_grad
        close(seen[name].total, part.total)


def _assert_same_totals(output: LossOutput, every: Tally, close: Close) -> None:
    active = sum(part.active for part in every.parts.values())
    valid = sum(part.valid for part in every.parts.values())
    assert (int(output.active), int(output.valid)) == (active, valid)
    assert output.state == (
        "no valid tuple" if not valid else "active" if active else "nothing active"
    )
    mean = every.value("mean") if valid else torch.tensor(torch.nan)
    close(output.mean_over_valid, mean)
    share = len(every.active_anchors) / len(every.anchors) if every.anchors else float("nan")
    assert float(output.active_anchors) == pytest.approx(share, nan_ok=True)
