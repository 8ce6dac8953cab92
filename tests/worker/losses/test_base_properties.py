"""Properties that hold for every loss and every batch."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from contract.catalogue.catalogue import LOSSES
from contract.comparison.tuple_checks import TUPLES_ONLY
from tests.support.examples import at_most
from worker import losses
from worker.losses import Loss, LossOutput

CLASSES, DIM = 4, 5
DRAWING = ("n_pair",)
"""Kinds that draw tuples at random: which ones depends on the order of the batch."""
PROXIES = ("arcface", "center_contrastive")
"""Kinds with a vector for each class number."""
SETTINGS: list[dict[str, Any]] = [
    *({"kind": row.kind} for row in LOSSES if row.kind not in (*DRAWING, *TUPLES_ONLY)),
    {"kind": "contrastive", "distance": "cosine", "margin": 0.5},
    {"kind": "triplet", "distance": "cosine", "margin": 0.2},
    *(
        {"kind": kind, "selection": selection}
        for kind in ("contrastive", "triplet")
        for selection in ("semi_hard", "batch_hard")
    ),
]
batches = st.lists(st.integers(0, CLASSES - 1), min_size=1, max_size=16).flatmap(
    lambda labels: st.tuples(
        st.just(labels), st.integers(0, 2**16), st.permutations(range(len(labels)))
    )
)
each_loss = pytest.mark.parametrize(
    "spec", SETTINGS, ids=lambda spec: "-".join(map(str, spec.values()))
)
few = settings(max_examples=at_most(25), deadline=None)


def built(spec: dict[str, Any]) -> Loss:
    torch.manual_seed(0)
    return losses.build(spec, classes=CLASSES, dim=DIM).double()


def points(count: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, DIM, generator=generator, dtype=torch.float64)


def same(one: LossOutput, other: LossOutput) -> None:
    torch.testing.assert_close(one.value, other.value)
    torch.testing.assert_close(one.active_anchors, other.active_anchors, equal_nan=True)
    torch.testing.assert_close(one.divisor, other.divisor)
    for name, part in one.parts.items():
        assert int(part.active) == int(other.parts[name].active)
        assert int(part.valid) == int(other.parts[name].valid)
        torch.testing.assert_close(part.total, other.parts[name].total)


@each_loss
@few
@given(batches)
def test_order_of_the_batch_does_not_matter(
    spec: dict[str, Any], batch: tuple[list[int], int, list[int]]
) -> None:
    labels, embeddings = torch.tensor(batch[0]), points(len(batch[0]), batch[1])
    loss, order = built(spec), torch.tensor(batch[2])
    with torch.no_grad():
        same(loss(embeddings, labels), loss(embeddings[order], labels[order]))


@each_loss
@few
@given(batches, st.permutations(range(CLASSES)))
def test_numbers_of_the_classes_do_not_matter(
    spec: dict[str, Any], batch: tuple[list[int], int, list[int]], names: list[int]
) -> None:
    labels, embeddings = torch.tensor(batch[0]), points(len(batch[0]), batch[1])
    loss = built(spec)
    with torch.no_grad():
        before: LossOutput = loss(embeddings, labels)
        renamed = torch.tensor(names)
        for vectors in loss.parameters():
            vectors[renamed] = vectors.clone()
        # Where nothing is stored by class number, any numbers are allowed.
        far = 0 if spec["kind"] in PROXIES else 10**9
        same(before, loss(embeddings, renamed[labels] - far))


@each_loss
@few
@given(batches)
def test_shifts_or_scales_that_keep_the_distances_do_not_matter(
    spec: dict[str, Any], batch: tuple[list[int], int, list[int]]
) -> None:
    labels, embeddings = torch.tensor(batch[0]), points(len(batch[0]), batch[1])
    loss = built(spec)
    euclidean = spec["kind"] in {"contrastive", "triplet"} and "distance" not in spec
    moved = embeddings + 3.0 if euclidean else embeddings * 7.0
    with torch.no_grad():
        same(loss(embeddings, labels), loss(moved, labels))


@each_loss
@few
@given(batches)
def test_counts_and_values_stay_within_bounds(
    spec: dict[str, Any], batch: tuple[list[int], int, list[int]]
) -> None:
    labels, embeddings = torch.tensor(batch[0]), points(len(batch[0]), batch[1])
    output: LossOutput = built(spec)(embeddings.requires_grad_(), labels)
    output.value.backward()
    assert embeddings.grad is not None
    assert embeddings.grad.isfinite().all()
    assert output.value >= 0
    for part in (*output.parts.values(), *(output.selected or {}).values()):
        assert 0 <= int(part.active) <= int(part.valid)
        assert float(part.total) >= 0
    assert (output.state == "no valid tuple") == (not output.valid)
    assert bool(output.mean_over_valid.isnan()) == (not output.valid)


def test_all_losses_are_covered() -> None:
    assert (
        len({spec["kind"] for spec in SETTINGS} | set(DRAWING))
        == len(LOSSES) - len(TUPLES_ONLY)
        == 7
    )
