"""Losses with a softmax against slow loops from their formulas and pytorch-metric-learning."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from pytorch_metric_learning import losses as peers
from pytorch_metric_learning.distances import DotProductSimilarity
from torch import Tensor

from contract.comparison.loss import ACTIVE_EPS
from worker import losses
from worker.errors import InputError
from worker.losses import Loss, LossOutput
from worker.losses.batch import Batch
from worker.losses.n_pair import draw_pairs

CLASSES, DIM = 6, 5
KINDS = ("n_pair", "info_nce", "sup_con", "arcface", "center_contrastive")
LABELS = {
    "four classes": [0, 1, 2, 0, 1, 2, 0, 1, 0, 2, 5, 0],
    "a class of one": [0, 0, 1, 2, 2, 2],
    "one class": [4, 4, 4, 4],
    "all different": [0, 1, 2, 3],
    "two of one class": [5, 5],
    "two of two classes": [5, 4],
    "one item": [0],
}
T = 0.1
"""The default temperature."""
S, M = 64.0, 0.5
"""ArcFace's default scale and margin."""


def built(kind: str, dtype: torch.dtype = torch.float64, **settings: Any) -> Loss:
    torch.manual_seed(0)
    return losses.build({"kind": kind, **settings}, classes=CLASSES, dim=DIM).to(dtype)


def points(count: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, DIM, generator=generator, dtype=torch.float64).to(dtype)


def cos(a: Tensor, b: Tensor) -> float:
    return float(a @ b / (a.norm() * b.norm()))


def negative_log_softmax(won: float, lost: list[float]) -> float:
    return math.log(1 + math.fsum(math.exp(one - won) for one in lost))


def by_loop(kind: str, batch: Batch, loss: Loss, state: int) -> list[tuple[str, float]]:
    """Return (part, loss) of every valid tuple."""
    if kind in {"arcface", "center_contrastive"}:
        [vectors] = loss.parameters()
        items, labels = batch.items
        each = zip(items.detach(), labels.tolist(), strict=True)
        return [
            found for item, own in each for found in _against(kind, vectors.detach(), item, own)
        ]
    if kind == "n_pair":
        return [("softmax", value) for value in _n_pairs(batch, state)]
    return [("softmax", value) for value in _softmaxes(kind, batch)]


def _against(kind: str, vectors: Tensor, item: Tensor, own: int) -> Iterator[tuple[str, float]]:
    near = [cos(item, vector) for vector in vectors]
    others = [one for c, one in enumerate(near) if c != own]
    if kind == "center_contrastive":
        yield "softmax", negative_log_softmax(near[own] / T, [one / T for one in others])
        yield "positive", 2 - 2 * near[own]
        return
    angle = math.acos(near[own])
    beyond = angle + M > math.pi
    won = near[own] - M * math.sin(M) if beyond else math.cos(angle + M)
    yield "softmax", negative_log_softmax(S * won, [S * one for one in others])


def _n_pairs(batch: Batch, state: int) -> Iterator[float]:
    anchors, others = batch.anchors.detach(), batch.others.detach()
    first, second = draw_pairs(batch, torch.Generator().manual_seed(state))
    drawn = list(zip(first.tolist(), second.tolist(), strict=True))
    for a, p in drawn if len(drawn) > 1 else []:
        lost = [float(anchors[a] @ others[other]) for _, other in drawn if other != p]
        yield negative_log_softmax(float(anchors[a] @ others[p]), lost)


def _softmaxes(kind: str, batch: Batch) -> Iterator[float]:
    anchors, others = batch.anchors.detach(), batch.others.detach()
    of_class = batch.other_labels.tolist()
    for a, label in enumerate(batch.labels.tolist()):
        rest = [x for x in range(len(others)) if not (batch.against_itself and x == a)]
        positives = [x for x in rest if of_class[x] == label]
        negatives = [x for x in rest if of_class[x] != label]
        near = {x: cos(anchors[a], others[x]) / T for x in rest}
        if kind == "info_nce" and negatives:
            yield from (
                negative_log_softmax(near[p], [near[n] for n in negatives]) for p in positives
            )
        if kind == "sup_con" and positives:
            each = (
                negative_log_softmax(near[p], [near[x] for x in rest if x != p]) for p in positives
            )
            yield math.fsum(each) / len(positives)


def agree(kind: str, output: LossOutput, loss: Loss, batch: Batch, *, tolerance: float) -> None:
    found = by_loop(kind, batch, loss, state=3)
    for name, part in output.parts.items():
        own = [value for of, value in found if of == name]
        assert float(part.total) == pytest.approx(math.fsum(own), rel=tolerance, abs=tolerance)
        assert int(part.valid) == len(own)
        above = ACTIVE_EPS if name == "softmax" else 0.0
        assert int(part.active) == sum(value > above for value in own)
    total = math.fsum(value for _, value in found)
    assert float(output.value.detach()) == pytest.approx(
        total / max(len(found), 1), rel=tolerance, abs=tolerance
    )
    assert (output.state == "no valid tuple") == (not found)


@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_the_loop(kind: str, name: str) -> None:
    labels = torch.tensor(LABELS[name])
    for dtype, tolerance in ((torch.float64, 1e-9), (torch.float32, 1e-4)):
        embeddings, loss = points(len(labels), dtype=dtype).requires_grad_(), built(kind, dtype)
        output: LossOutput = loss(embeddings, labels, generator=torch.Generator().manual_seed(3))
        batch = Batch(embeddings, labels, embeddings, labels, against_itself=True)
        agree(kind, output, loss, batch, tolerance=tolerance)
        assert output.value.dtype == dtype
        output.value.backward()
        assert embeddings.grad is not None
        assert embeddings.grad.isfinite().all()
        assert output.valid or not embeddings.grad.any()


@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_the_loop_between_modalities(kind: str) -> None:
    for labels, other_labels in (
        ([0, 1, 0, 2], [1, 0, 2, 1, 0, 0, 3]),
        ([0, 1], [2, 3, 3]),
        ([4, 4], [4]),
    ):
        batch = Batch(
            points(len(labels)),
            torch.tensor(labels),
            points(len(other_labels), 1),
            torch.tensor(other_labels),
            against_itself=False,
        )
        loss = built(kind)
        output: LossOutput = loss(
            batch.anchors,
            batch.labels,
            others=batch.others,
            other_labels=batch.other_labels,
            generator=torch.Generator().manual_seed(3),
        )
        agree(kind, output, loss, batch, tolerance=1e-9)


@pytest.mark.parametrize("reduction", ["mean", "sum", "mean_active"])
@pytest.mark.parametrize("kind", KINDS)
def test_gradient_is_the_derivative(kind: str, reduction: str) -> None:
    labels = torch.tensor(LABELS["four classes"])
    loss = built(kind, reduction=reduction)

    def value(embeddings: Tensor, others: Tensor, *parameters: Tensor) -> Tensor:
        def call(**more: Any) -> Tensor:
            arguments = {**more, "generator": torch.Generator().manual_seed(0)}
            named = dict(zip(dict(loss.named_parameters()), parameters, strict=True))
            output: LossOutput = torch.func.functional_call(
                loss, named, (embeddings, labels), arguments
            )
            return output.value

        return call() + call(others=others, other_labels=labels[:7])

    parameters = [parameter.detach().clone() for parameter in loss.parameters()]
    inputs = [points(len(labels)), points(7, 1), *parameters]
    assert torch.autograd.gradcheck(value, [one.requires_grad_() for one in inputs])


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("info_nce", {"temperature": 0.001}),
        ("sup_con", {"temperature": 0.001}),
        ("center_contrastive", {"temperature": 0.001}),
        ("arcface", {"scale": 1000.0, "margin": 1.5}),
    ],
)
def test_sharp_softmaxes_and_duplicates_stay_finite(kind: str, settings: dict[str, float]) -> None:
    embeddings = points(12, dtype=torch.float32)
    embeddings[1] = embeddings[0]
    embeddings[2] = -embeddings[0]
    embeddings[3] = 0
    loss = built(kind, torch.float32, **settings)
    with torch.no_grad():
        for parameter in loss.parameters():
            parameter[0] = embeddings[0]
    output: LossOutput = loss(embeddings.requires_grad_(), torch.tensor(LABELS["four classes"]))
    output.value.backward()
    assert output.value.isfinite()
    assert embeddings.grad is not None
    assert embeddings.grad.isfinite().all()


def test_agrees_with_the_peer() -> None:
    labels = torch.tensor(LABELS["four classes"])
    embeddings = points(len(labels))
    for kind, peer in (
        ("info_nce", peers.NTXentLoss(temperature=T)),
        ("sup_con", peers.SupConLoss(temperature=T)),
    ):
        assert built(kind)(embeddings, labels).value == pytest.approx(peer(embeddings, labels))
        # Between modalities too: by default the peer takes all pairs.
        ours = built(kind)(
            embeddings[:5], labels[:5], others=embeddings[5:], other_labels=labels[5:]
        )
        theirs = peer(embeddings[:5], labels[:5], ref_emb=embeddings[5:], ref_labels=labels[5:])
        assert ours.value == pytest.approx(theirs)
    arcface = built("arcface")
    peer = peers.ArcFaceLoss(CLASSES, DIM, margin=math.degrees(M), scale=S).double()
    peer.W.data = next(arcface.parameters()).data.T.clone()
    expected = peer(embeddings, labels).detach()
    assert arcface(embeddings, labels).value.detach() == pytest.approx(expected)


def test_n_pair_agrees_with_the_peer_where_each_class_has_one_pair() -> None:
    labels = torch.tensor([0, 1, 2, 3])
    anchors, positives = points(4), points(4, 1)
    pairs = (torch.arange(4), torch.arange(4))
    both = torch.cat((anchors, positives))
    peer = peers.NPairsLoss(distance=DotProductSimilarity(normalize_embeddings=False))(
        both,
        torch.cat((labels, labels)),
        indices_tuple=(pairs[0], pairs[1] + 4, *2 * [pairs[0][:0]]),
    )
    ours = built("n_pair")(anchors, labels, others=positives, other_labels=labels)
    assert ours.value == pytest.approx(peer)


def test_n_pair_draws_every_member_and_follows_the_generator() -> None:
    labels = torch.tensor([0] * 4 + [1] * 3 + [2])
    batch = Batch(points(8), labels, points(8), labels, against_itself=True)
    seen = set()
    for state in range(100):
        one, again = (draw_pairs(batch, torch.Generator().manual_seed(state)) for _ in range(2))
        assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
        anchors, positives = one
        assert torch.equal(labels[anchors], labels[positives])
        assert labels[anchors].tolist() == [0, 1]
        assert not (anchors == positives).any()
        seen |= set(zip(anchors.tolist(), positives.tolist(), strict=True))
    assert len(seen) == 4 * 3 + 3 * 2


@pytest.mark.parametrize("kind", ["arcface", "center_contrastive"])
def test_a_label_out_of_range_is_refused(kind: str) -> None:
    with pytest.raises(InputError, match="labels: expected 0 to 5, got 0 to 6"):
        built(kind)(points(3), torch.tensor([0, 6, 1]))
    with pytest.raises(InputError, match="got -1 to 1"):
        built(kind)(points(3), torch.tensor([0, -1, 1]))
