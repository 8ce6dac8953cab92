"""Losses on given tuples, beside plain loops over their formulas."""

import math
from typing import Any

import pytest
import torch
from torch.nn import functional

from contract.comparison.data import SHAPES, TupleShape
from contract.comparison.tuple_checks import LOSS_SHAPES
from worker.errors import InputError
from worker.losses import LossOutput, build, build_for_tuples

ITEMS, ROWS, DIM = 12, 9, 5
CASES = [(kind, shape) for kind, shapes in LOSS_SHAPES.items() for shape in shapes]


def batch(shape: TupleShape, seed: int = 0) -> dict[str, Any]:
    """Rows whose items repeat, so that there are false negatives and duplicates."""
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(ITEMS, DIM, generator=generator, dtype=torch.float64)
    groups = torch.arange(ITEMS) // 3
    width = 3 if shape == "triplets" else 2
    rows = []
    for row in range(ROWS):
        anchor, positive = 3 * (row % 4), 3 * (row % 4) + 1 + row // 4 % 2
        rows.append([anchor, positive, (anchor + 3 + row) % ITEMS][:width])
    given: dict[str, Any] = {
        "embeddings": functional.normalize(points).requires_grad_(),
        "groups": groups,
        "places": torch.tensor(rows),
        "shape": shape,
    }
    if shape == "labelled_pairs":
        given["places"][1::2, 1] = (given["places"][1::2, 0] + 4) % ITEMS
        given["same"] = torch.arange(ROWS) % 2 == 0
    if shape == "scored_pairs":
        given["scores"] = torch.arange(ROWS) % 4 / 4
    return given


def computed(spec: dict[str, Any], given: dict[str, Any]) -> LossOutput:
    output: LossOutput = build_for_tuples(spec, given["shape"])(**given)
    return output


def negatives_of(given: dict[str, Any], anchor: int) -> list[int]:
    candidates = sorted({int(one) for row in given["places"] for one in row[1:]})
    return [one for one in candidates if given["groups"][one] != given["groups"][anchor]]


def squared(given: dict[str, Any], one: int, other: int) -> float:
    z = given["embeddings"].detach()
    return float((z[one] - z[other]).square().sum())


def cosine(given: dict[str, Any], one: int, other: int) -> float:
    z = given["embeddings"].detach()
    return float(functional.cosine_similarity(z[one], z[other], dim=0))


def hinges_of_triplets(given: dict[str, Any], margin: float) -> list[float]:
    found = []
    for anchor, positive, *own in given["places"].tolist():
        for negative in own or negatives_of(given, anchor):
            if given["groups"][negative] != given["groups"][anchor]:
                gap = squared(given, anchor, positive) - squared(given, anchor, negative) + margin
                found.append(max(0.0, gap))
    return found


@pytest.mark.parametrize("shape", ["pairs", "triplets"])
def test_triplet_is_the_mean_over_given_or_in_batch_triplets(shape: TupleShape) -> None:
    given = batch(shape)
    output = computed({"kind": "triplet", "margin": 0.7}, given)
    expected = hinges_of_triplets(given, 0.7)
    assert output.value.item() == pytest.approx(sum(expected) / len(expected))
    assert int(output.valid) == len(expected)
    assert int(output.active) == sum(value > 0 for value in expected)
    assert output.trivial_loss is not None
    assert float(output.trivial_loss) == pytest.approx(0.7)


@pytest.mark.parametrize("shape", LOSS_SHAPES["contrastive"])
@pytest.mark.parametrize("hinge", ["squared", "linear"])
def test_contrastive_pulls_the_positive_pairs_and_pushes_the_negative_ones(
    shape: TupleShape, hinge: str
) -> None:
    given, margin = batch(shape), 1.3
    pulls, pushes = [], []
    for row, (anchor, positive, *own) in enumerate(given["places"].tolist()):
        others = own or negatives_of(given, anchor)
        if shape == "labelled_pairs":
            others = [] if given["same"][row] else [positive]
        if shape != "labelled_pairs" or given["same"][row]:
            pulls.append(squared(given, anchor, positive))
        for other in others:
            if shape == "labelled_pairs" or given["groups"][other] != given["groups"][anchor]:
                gap = max(0.0, margin - math.sqrt(squared(given, anchor, other)))
                pushes.append(gap**2 if hinge == "squared" else gap)
    spec = {"kind": "contrastive", "margin": margin, "hinge": hinge}
    mean = computed(spec, given)
    assert mean.value.item() == pytest.approx(sum(pulls + pushes) / len(pulls + pushes))
    balanced = computed({**spec, "reduction": "balanced", "pull_weight": 0.3}, given)
    expected = 0.3 * sum(pulls) / len(pulls) + 0.7 * sum(pushes) / len(pushes)
    assert balanced.value.item() == pytest.approx(expected)
    assert [int(part.valid) for part in mean.parts.values()] == [len(pulls), len(pushes)]


@pytest.mark.parametrize("shape", LOSS_SHAPES["info_nce"])
def test_info_nce_leaves_the_anchors_group_out_of_the_negatives(shape: TupleShape) -> None:
    given, t = batch(shape), 0.2
    losses = []
    for anchor, positive, *_ in given["places"].tolist():
        own = math.exp(cosine(given, anchor, positive) / t)
        rest = sum(math.exp(cosine(given, anchor, n) / t) for n in negatives_of(given, anchor))
        losses.append(-math.log(own / (own + rest)))
    output = computed({"kind": "info_nce", "temperature": t}, given)
    assert output.value.item() == pytest.approx(sum(losses) / ROWS)


@pytest.mark.parametrize("shape", LOSS_SHAPES["cosent"])
def test_cosent_compares_pairs_of_different_scores(shape: TupleShape) -> None:
    given = batch(shape)
    scores = given["scores" if shape == "scored_pairs" else "same"].double().tolist()
    cosines = [cosine(given, a, b) for a, b in given["places"].tolist()]
    gaps = [
        20 * (cosines[low] - cosines[high])
        for high in range(ROWS)
        for low in range(ROWS)
        if scores[high] > scores[low]
    ]
    output = computed({"kind": "cosent"}, given)
    assert output.value.item() == pytest.approx(math.log(1 + sum(map(math.exp, gaps))))
    alone = [math.log1p(math.exp(gap)) for gap in gaps]
    assert float(output.mean_over_valid) == pytest.approx(sum(alone) / len(alone))
    assert int(output.valid) == len(gaps)
    assert float(output.trivial_loss or 0) == pytest.approx(math.log(2))


def test_the_share_of_false_negatives_counts_items_of_the_anchors_group() -> None:
    given = batch("pairs")
    candidates = sorted({int(row[1]) for row in given["places"]})
    others = [
        (anchor, one)
        for anchor, positive in given["places"].tolist()
        for one in candidates
        if one not in (anchor, positive)
    ]
    false = [pair for pair in others if given["groups"][pair[0]] == given["groups"][pair[1]]]
    assert false, "the case needs some"
    for kind in ("contrastive", "triplet", "info_nce"):
        share = computed({"kind": kind}, given).false_negatives
        assert share is not None
        assert float(share) == pytest.approx(len(false) / len(others))
    for kind in ("contrastive", "triplet"):  # their negatives are given
        assert computed({"kind": kind}, batch("triplets")).false_negatives is None


@pytest.mark.parametrize(("kind", "shape"), CASES)
def test_gradients_are_those_of_the_value(kind: str, shape: TupleShape) -> None:
    given = batch(shape)
    loss = build_for_tuples({"kind": kind}, shape)

    def value(points: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = loss(**{**given, "embeddings": points}).value
        return found

    assert torch.autograd.gradcheck(value, given["embeddings"], atol=1e-6)


@pytest.mark.parametrize(("kind", "shape"), CASES)
def test_the_order_of_the_tuples_does_not_matter(kind: str, shape: TupleShape) -> None:
    given = batch(shape)
    order = torch.randperm(ROWS, generator=torch.Generator().manual_seed(1))
    mixed = {
        name: part[order] if name in ("places", "same", "scores") else part
        for name, part in given.items()
    }
    one, other = (computed({"kind": kind}, each) for each in (given, mixed))
    assert one.value.item() == pytest.approx(other.value.item())
    assert int(one.active) == int(other.active)


@pytest.mark.parametrize(("kind", "shape"), CASES)
def test_a_collapsed_space_has_the_trivial_loss_and_finite_gradients(
    kind: str, shape: TupleShape
) -> None:
    given = batch(shape)
    given["embeddings"] = torch.ones(ITEMS, DIM, dtype=torch.float64, requires_grad=True)
    output = computed({"kind": kind}, given)
    assert output.trivial_loss is not None
    assert float(output.mean_over_valid) == pytest.approx(float(output.trivial_loss))
    output.value.backward()
    assert given["embeddings"].grad.isfinite().all()


@pytest.mark.parametrize("kind", ["triplet", "info_nce", "contrastive"])
def test_a_batch_without_a_negative_has_a_differentiable_zero_or_the_pull_alone(kind: str) -> None:
    given = batch("pairs")
    given["groups"] = torch.zeros(ITEMS, dtype=torch.int64)
    output = computed({"kind": kind}, given)
    output.value.backward()
    assert given["embeddings"].grad.isfinite().all()
    if kind != "contrastive":
        assert output.value.item() == 0
        assert output.state == "no valid tuple"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_loss_that_does_not_take_a_shape_says_which_do(shape: TupleShape) -> None:
    with pytest.raises(InputError, match=f"'sup_con' cannot train on tuples of the shape '{shape}"):
        build_for_tuples({"kind": "sup_con"}, shape)
    with pytest.raises(InputError, match="trains on tuples"):
        build({"kind": "cosent"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"places": torch.zeros(4, 3, dtype=torch.int64)}, r"places: expected \[R, 2\]"),
        ({"places": torch.full((4, 2), ITEMS)}, "places: expected 0 to 11"),
        ({"same": torch.ones(ROWS, dtype=torch.bool)}, "same: is given with 'labelled_pairs'"),
        ({"embeddings": torch.full((ITEMS, 2), torch.nan)}, "rows are not finite"),
        ({"groups": torch.arange(3)}, "one for each embedding"),
    ],
)
def test_wrong_arguments_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        computed({"kind": "triplet"}, {**batch("pairs"), **change})
