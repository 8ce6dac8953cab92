"""A loss of distances against its loop: value, gradient, parts and counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.support.loops import LOOPS, Scene, Tally
from tests.support.loops import Tuples as Expected
from worker import losses
from worker.losses import LossOutput, Part

REDUCTIONS = ("mean", "sum", "mean_active")
Close = Callable[[Tensor, Tensor], None]


def compute(
    kind: str,
    scene: Scene,
    *,
    generator: torch.Generator | None = None,
    check_values: bool = True,
    **settings: Any,
) -> LossOutput:
    """The loss of a scene, at its distance."""
    loss = losses.build({"kind": kind, "distance": scene.distance, **settings})
    output: LossOutput = loss(
        scene.embeddings,
        scene.labels,
        others=scene.others,
        other_labels=scene.other_labels,
        generator=generator,
        check_values=check_values,
    )
    return output


def gradients(value: Tensor, scene: Scene) -> tuple[Tensor, ...]:
    """At the embeddings, and at the others where there are some."""
    points = [scene.embeddings] if scene.others is None else [scene.embeddings, scene.others]
    return torch.autograd.grad(value, points, retain_graph=True)


def leaf(scene: Scene, dtype: torch.dtype) -> Scene:
    """The scene with points of its own in a type."""
    others = scene.others
    return replace(
        scene,
        embeddings=scene.embeddings.detach().to(dtype).requires_grad_(),
        others=None if others is None else others.detach().to(dtype).requires_grad_(),
    )


def agree(
    kind: str,
    scene: Scene,
    *,
    margin: float,
    tolerance: float,
    chosen: Sequence[Any] | None = None,
    **settings: Any,
) -> None:
    """In every reduction ours are the loop's, which runs in float64; the scene's type is tested.

    Args:
        kind: of loss.
        scene: the batch.
        margin: of the loss.
        tolerance: relative and absolute.
        chosen: the tuples that the selection among the settings should train on; None for all.
        settings: the loss's others; a seed for the generator.
    """

    def close(seen: Tensor, expected: Tensor) -> None:
        torch.testing.assert_close(
            seen.detach().to(torch.float64),
            expected.detach().to(torch.float64),
            rtol=tolerance,
            atol=tolerance,
            equal_nan=True,
        )

    ours, exact = leaf(scene, scene.embeddings.dtype), leaf(scene, torch.float64)
    every = LOOPS[kind](exact, margin)
    trained = every if chosen is None else LOOPS[kind](exact, margin, chosen)
    seed = settings.pop("seed", 0)
    for reduction in REDUCTIONS:
        generator = torch.Generator().manual_seed(seed)
        output = compute(
            kind, ours, margin=margin, reduction=reduction, generator=generator, **settings
        )
        assert output.value.dtype == scene.embeddings.dtype
        close(output.value, trained.value(reduction))
        expected = gradients(trained.value(reduction), exact)
        for seen, right in zip(gradients(output.value, ours), expected, strict=True):
            close(seen, right)
    _same_parts(output.parts, every.parts, close)
    assert (output.selected is None) == (chosen is None)
    if output.selected is not None:
        _same_parts(output.selected, trained.parts, close)
    _same_totals(output, every, close)


def _same_parts(seen: Mapping[str, Part], expected: dict[str, Expected], close: Close) -> None:
    assert list(seen) == list(expected)
    for name, part in expected.items():
        assert int(seen[name].active) == part.active
        assert int(seen[name].valid) == part.valid
        assert not seen[name].total.requires_grad
        close(seen[name].total, part.total)


def _same_totals(output: LossOutput, every: Tally, close: Close) -> None:
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
