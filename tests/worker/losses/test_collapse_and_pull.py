"""What a loss says of a batch beside its value: the loss of a collapsed space, the anchors that
push and the share of the weight that pulls."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from contract.catalogue.catalogue import LOSSES
from contract.comparison.loss import KINDS_WITH_PARAMETERS
from contract.comparison.tuple_checks import TUPLES_ONLY
from worker import losses
from worker.losses import LossOutput, two_ways
from worker.trainer import dynamics

LABELS = {
    "four classes": [0, 1, 2, 0, 1, 2, 0, 1, 0, 2, 3, 0],
    "a class of one": [0, 0, 1, 2, 2, 2],
    "one class": [4, 4, 4, 4],
    "all different": [0, 1, 2, 3],
    "two of one class": [5, 5],
    "one item": [0],
}
SETTINGS: list[dict[str, Any]] = [
    *(
        {"kind": row.kind}
        for row in LOSSES
        if row.kind not in (*KINDS_WITH_PARAMETERS, *TUPLES_ONLY)
    ),
    {"kind": "contrastive", "distance": "cosine", "margin": 0.4},
    {"kind": "contrastive", "hinge": "linear", "margin": 0.7, "positive_margin": 0.2},
    {"kind": "contrastive", "selection": "batch_hard", "reduction": "balanced"},
    {"kind": "triplet", "distance": "cosine", "margin": 0.3, "reduction": "sum"},
    {"kind": "triplet", "selection": "semi_hard", "margin": 0.2},
    {"kind": "n_pair", "scale": 20.0, "reduction": "mean_active"},
    {"kind": "info_nce", "temperature": 0.01},
    {"kind": "sup_con", "temperature": 5.0},
]


def points(count: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 5, generator=generator, dtype=torch.float64)


def computed(loss: losses.Loss, first: Tensor, second: Tensor | None, labels: Tensor) -> LossOutput:
    draws = torch.Generator().manual_seed(1)
    if second is not None:
        return two_ways(loss, first, second, labels, generator=draws)
    output: LossOutput = loss(first, labels, generator=draws)
    return output


@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda one: "-".join(map(str, one.values())))
def test_the_trivial_loss_is_that_of_a_collapsed_space(
    settings: dict[str, Any], name: str, two: bool
) -> None:
    loss, labels = losses.build(settings), torch.tensor(LABELS[name])
    seen = computed(
        loss, points(len(labels)), points(len(labels), 1) if two else None, labels
    ).trivial_loss
    point = points(1, 2).repeat(len(labels), 1)
    collapsed = computed(loss, point, point.clone() if two else None, labels)
    assert seen is not None
    assert seen.item() == pytest.approx(
        collapsed.mean_over_valid.item(), rel=1e-6, abs=1e-9, nan_ok=True
    )
    again = collapsed.trivial_loss
    assert again is not None
    assert again.item() == pytest.approx(seen.item(), nan_ok=True)


def test_trivial_losses_by_hand() -> None:
    labels = torch.arange(12) % 4  # 18 positive pairs of 66

    def trivial(**settings: Any) -> float:
        found = losses.build(settings)(points(12), labels).trivial_loss
        return math.nan if found is None else float(found)

    assert trivial(kind="triplet", margin=0.25) == pytest.approx(0.25)
    assert trivial(kind="contrastive", margin=0.5) == pytest.approx(0.25 * 54 / 66)
    assert trivial(kind="contrastive", margin=0.5, hinge="linear") == pytest.approx(0.5 * 54 / 66)
    assert trivial(kind="n_pair", scale=8.0) == pytest.approx(math.log(4))
    assert trivial(kind="info_nce") == pytest.approx(math.log(1 + 9))
    assert trivial(kind="sup_con") == pytest.approx(math.log(11))
    for kind in KINDS_WITH_PARAMETERS:
        output = losses.build({"kind": kind}, classes=4, dim=5).double()(points(12), labels)
        assert output.trivial_loss is None


@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("settings", [{}, {"hinge": "linear"}, {"selection": "batch_hard"}])
def test_pushing_anchors_have_an_active_negative_pair(
    settings: dict[str, Any], name: str, two: bool
) -> None:
    labels = torch.tensor(LABELS[name])
    for margin in (0.0, 2.0, 3.0, 100.0):
        loss = losses.build({"kind": "contrastive", "margin": margin, **settings})
        first, second = points(len(labels)), points(len(labels), 1) if two else None
        output = computed(loss, first, second, labels)
        apart = labels[:, None] != labels[None, :]
        near = torch.cdist(first, first if second is None else second) < margin
        shares = [
            (matrix & apart).any(dim=1).sum() / apart.any(dim=1).sum()
            for matrix in ((near, near.T) if two else (near,))
        ]
        expected = torch.stack(shares).mean().item()
        assert output.pushing_anchors.item() == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("kind", ["triplet", "n_pair", "info_nce", "sup_con", "arcface"])
def test_in_losses_of_one_part_every_active_anchor_pushes(kind: str) -> None:
    loss = losses.build({"kind": kind}, classes=4, dim=5).double()
    output = computed(loss, points(12), None, torch.arange(12) % 4)
    assert output.pushing_anchors.item() == output.active_anchors.item() > 0


def test_the_softmax_of_centre_contrastive_pushes_and_its_pull_does_not() -> None:
    loss = losses.build({"kind": "center_contrastive", "temperature": 0.001}, classes=4, dim=5)
    loss.double()
    [centres] = loss.parameters()
    with torch.no_grad():
        centres[:4, :4] = torch.eye(4, dtype=torch.float64)
        centres[:, 4] = 0
    labels = torch.tensor([0, 1, 2, 2])
    embeddings = torch.eye(5, dtype=torch.float64)[[0, 1, 2, 3]]
    embeddings[0, 4] = 0.1  # near its centre: nothing to push, something to pull
    output = computed(loss, embeddings, None, labels)
    assert output.active_anchors == 0.5
    assert output.pushing_anchors == 0.25


def pull_share(labels: Tensor, **settings: Any) -> float:
    loss = losses.build(settings, classes=100, dim=5).double()
    embeddings = points(len(labels)).requires_grad_()
    output = computed(loss, embeddings, None, labels)
    values = dynamics.read_values([dynamics.step_numbers(output, [embeddings], [])])[0]
    return values.get("dynamics.pull_share", -1.0)


def test_the_share_that_pulls() -> None:
    ten, alone = torch.arange(100) % 10, torch.zeros(1, dtype=torch.int64)
    for reduction in ("mean", "sum", "mean_active"):
        share = pull_share(ten, kind="contrastive", reduction=reduction)
        assert share == pytest.approx(450 / 4950)
    assert pull_share(ten, kind="contrastive", selection="sampled") == pytest.approx(0.5)
    for weight in (0.0, 0.25, 1.0):
        settings = {"kind": "contrastive", "reduction": "balanced", "pull_weight": weight}
        assert pull_share(ten, **settings) == pytest.approx(weight)
    assert pull_share(ten, kind="triplet", selection="semi_hard") == 0.5
    for kind in ("n_pair", "info_nce", "sup_con", "arcface", "center_contrastive"):
        assert pull_share(ten, kind=kind) == -1  # absent
    assert math.isnan(pull_share(alone, kind="contrastive", reduction="balanced"))
    assert math.isnan(pull_share(alone, kind="triplet"))
