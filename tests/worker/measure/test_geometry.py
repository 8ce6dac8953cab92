"""Class variances against loops and identities."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from contract.metrics import METRICS
from tests.support.examples import at_most
from worker.errors import InputError
from worker.measure import geometry, per_class_variance

INTRA = "geometry.intra_class_variance"
INTER = "geometry.inter_class_variance"
COSINE = "geometry.mean_cosine"
RATIO = "geometry.variance_ratio"


def by_loop(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    classes = [embeddings[labels == label] for label in labels.unique()]
    means = [members.mean(dim=0) for members in classes]
    within = [
        torch.stack([(member - mean).square().sum() for member in members]).mean()
        for members, mean in zip(classes, means, strict=True)
    ]
    between = [
        (one - other).square().sum()
        for i, one in enumerate(means)
        for j, other in enumerate(means)
        if i != j
    ]
    intra = float(torch.stack(within).mean())
    inter = float(torch.stack(between).mean())
    scale = float(torch.stack([row.square().sum() for row in embeddings]).mean())
    return {
        INTRA: intra,
        INTER: inter,
        f"{INTRA}.scale_free": intra / scale,
        f"{INTER}.scale_free": inter / scale,
        RATIO: intra / inter,
        "geometry.mean_norm": float(torch.stack([row.norm() for row in embeddings]).mean()),
    }


@settings(max_examples=at_most(50), deadline=None)
@given(
    seed=st.integers(0, 2**31),
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=5).filter(lambda sizes: max(sizes) > 1),
)
def test_agrees_with_the_loop(seed: int, sizes: list[int]) -> None:
    """Values are the same in any order of the items."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes)) * 7 - 3
    embeddings = torch.randn(len(labels), 4, generator=generator) + 30
    order = torch.randperm(len(labels), generator=generator)
    expected = by_loop(embeddings.double(), labels)
    for seen in (geometry(embeddings, labels), geometry(embeddings[order], labels[order])):
        assert {key: seen[key] for key in expected} == pytest.approx(expected, rel=1e-9)


def test_all_keys() -> None:
    torch.manual_seed(0)
    values = geometry(torch.randn(30, 4), torch.arange(30) % 3)
    assert set(values) == {key for key in METRICS if key.startswith("geometry.")}
    assert len(values) == 13


def test_per_class_variance() -> None:
    torch.manual_seed(0)
    embeddings, labels = torch.randn(31, 4) + 30, torch.tensor([-7] + [2, 900, 5] * 10)
    values = per_class_variance(embeddings, labels)
    assert list(values) == [-7, 2, 5, 900]
    assert values[-7] == 0
    for label in (2, 5, 900):
        members = embeddings[labels == label].double()
        assert values[label] == pytest.approx(float(members.var(dim=0, correction=0).sum()))
    assert sum(values.values()) / 4 == pytest.approx(geometry(embeddings, labels)[INTRA])


def test_unit_vectors() -> None:
    """A class of unit vectors has variance 1 - ||mean||^2, and scale-free equals raw."""
    torch.manual_seed(0)
    embeddings = functional.normalize(torch.randn(50, 8, dtype=torch.float64), dim=1)
    labels = torch.arange(50) % 5
    means = torch.stack([embeddings[labels == label].mean(dim=0) for label in range(5)])
    values = geometry(embeddings, labels)
    assert values[INTRA] == pytest.approx(float((1 - means.square().sum(dim=1)).mean()))
    assert values[f"{INTRA}.scale_free"] == pytest.approx(values[INTRA])
    assert values[f"{INTER}.scale_free"] == pytest.approx(values[INTER])
    assert values["geometry.mean_norm"] == pytest.approx(1)


def test_scale_free_values_do_not_depend_on_the_scale() -> None:
    torch.manual_seed(0)
    embeddings, labels = torch.randn(30, 4, dtype=torch.float64), torch.arange(30) % 3
    values, stretched = geometry(embeddings, labels), geometry(embeddings * 10, labels)
    for key in (INTRA, INTER):
        assert stretched[key] == pytest.approx(100 * values[key])
        assert stretched[f"{key}.scale_free"] == pytest.approx(values[f"{key}.scale_free"])
    assert stretched[RATIO] == pytest.approx(values[RATIO])
    assert stretched["geometry.mean_norm"] == pytest.approx(10 * values["geometry.mean_norm"])


def test_mean_cosine_is_that_of_all_pairs() -> None:
    torch.manual_seed(0)
    embeddings = torch.randn(9, 3) + 5
    embeddings[4] = 0
    points = functional.normalize(embeddings.double(), dim=1)
    pairs = [float(points[i] @ points[j]) for i in range(9) for j in range(i)]
    for scale in (1, 1e-15, 1e15):
        values = geometry(embeddings * scale, torch.arange(9) % 3)
        assert values[COSINE] == pytest.approx(sum(pairs) / len(pairs), abs=1e-7)


def test_mean_cosine_tells_points_that_almost_coincide_from_one_point() -> None:
    angles = torch.tensor([0.0, 1e-6, 2e-6, 3e-6], dtype=torch.float64)
    embeddings = torch.stack((angles.cos(), angles.sin()), dim=1)
    near = geometry(embeddings, torch.tensor([0, 0, 1, 1]))[COSINE]
    assert 1 - near == pytest.approx(10e-12 / 6, rel=0.01)
    one = geometry(torch.ones(4, 2), torch.tensor([0, 0, 1, 1]))[COSINE]
    assert one == pytest.approx(1, abs=1e-15)


def test_values_that_do_not_exist_are_left_out() -> None:
    one_class = geometry(torch.tensor([[1.0], [3.0]]), torch.tensor([0, 0]))
    assert one_class[INTRA] == 1
    assert not {INTER, f"{INTER}.scale_free", RATIO} & set(one_class)

    collapsed = geometry(torch.ones(4, 2), torch.tensor([0, 0, 1, 1]))
    assert collapsed[INTRA] == collapsed[INTER] == 0
    assert RATIO not in collapsed

    at_the_origin = geometry(torch.zeros(4, 2), torch.tensor([0, 0, 1, 1]))
    assert at_the_origin[INTRA] == at_the_origin[INTER] == at_the_origin["geometry.mean_norm"] == 0
    assert not {f"{INTRA}.scale_free", f"{INTER}.scale_free", RATIO} & set(at_the_origin)


@pytest.mark.parametrize(
    ("embeddings", "labels", "message"),
    [
        (torch.zeros(4), torch.zeros(4).long(), r"embeddings: .*\[N, D\].* \[4\]"),
        (torch.zeros(2, 0), torch.zeros(2).long(), r"embeddings: .*D >= 1.* \[2, 0\]"),
        (torch.zeros(0, 2), torch.zeros(0).long(), r"embeddings: .*N >= 1.* \[0, 2\]"),
        (torch.zeros(4, 2).long(), torch.zeros(4).long(), r"embeddings: .*torch.int64"),
        (torch.zeros(4, 2), torch.zeros(5).long(), r"labels.*\[4\].* \[5\]"),
        (torch.zeros(4, 2), torch.zeros(4), r"labels.*torch.float32"),
        (torch.full((3, 2), torch.nan), torch.zeros(3).long(), r"embeddings: 3 of 3 rows"),
        (torch.tensor([[0.0], [torch.inf]]), torch.zeros(2).long(), r"embeddings: 1 of 2 rows"),
        (torch.zeros(3, 2), torch.arange(3), r"labels: .*two members, got 3 classes of one"),
    ],
)
def test_input_errors_name_what_was_seen(embeddings: Tensor, labels: Tensor, message: str) -> None:
    for measure in (geometry, per_class_variance):
        with pytest.raises(InputError, match=message):
            measure(embeddings, labels)
