"""Recall@K, R-precision and MAP@R against fixtures, a loop and pytorch-metric-learning."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from torch import Tensor
from torch.nn import functional

from tests.support.examples import at_most
from worker.errors import InputError
from worker.measure import left_out, neighbours, retrieval

RECALL, MAP, PRECISION = "retrieval.recall_at_1", "retrieval.map_at_r", "retrieval.r_precision"


def ranked(relevance: list[int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return one query at 0 and a gallery on a line, at growing distances."""
    places = torch.arange(1.0, len(relevance) + 1)[:, None]
    return torch.zeros(1, 1), torch.tensor([1]), places, torch.tensor(relevance)


@pytest.mark.parametrize(
    ("relevance", "recalls", "precision", "average"),
    [
        ([1, 0, 1, 1], [1, 1, 1], 2 / 3, (1 + 2 / 3) / 3),  # 0.5556
        ([1, 1, 1, 0], [1, 1, 1], 1, 1),
        ([0, 1, 1, 0], [0, 1, 1], 1 / 2, 1 / 2 / 2),
        ([0, 0, 1], [0, 0], 0, 0),
        ([0, 0, 1, 1], [0, 0, 1], 0, 0),
    ],
)
def test_fixtures(
    relevance: list[int], recalls: list[int], precision: float, average: float
) -> None:
    values = retrieval(*ranked(relevance))
    assert values == {
        **{f"retrieval.recall_at_{k}": r for k, r in zip((1, 2, 4), recalls, strict=False)},
        PRECISION: pytest.approx(precision),
        MAP: pytest.approx(average),
    }


def test_a_perfect_space_and_a_query_alone_in_its_class() -> None:
    embeddings = torch.tensor([[0.0], [0.1], [5.0], [5.1], [2.0]])
    labels = torch.tensor([0, 0, 1, 1, 2])
    values = retrieval(embeddings, labels)
    assert values == {
        **{f"retrieval.recall_at_{k}": 1 for k in (1, 2, 4)},
        PRECISION: 1,
        MAP: 1,
    }
    assert left_out(labels) == 1
    assert left_out(labels, torch.tensor([0, 2])) == 2


def test_an_item_is_not_its_own_neighbour_but_its_duplicate_may_be() -> None:
    embeddings = torch.tensor([[1.0], [1.0], [1.5], [1.5]])
    assert retrieval(embeddings, torch.tensor([0, 0, 1, 1]))[RECALL] == 1
    assert retrieval(embeddings, torch.tensor([0, 1, 0, 1]))[RECALL] == 0


def by_loop(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    ks = [k for k in (1, 2, 4, 8) if k < len(labels)]
    recalls: list[list[bool]] = []
    averages, shares = [], []
    for q in range(len(labels)):
        distances = (embeddings - embeddings[q]).norm(dim=1)
        order = [i for i in distances.argsort().tolist() if i != q]
        relevant = int((labels == labels[q]).sum()) - 1
        if relevant:
            hits = [bool(labels[i] == labels[q]) for i in order]
            recalls.append([any(hits[:k]) for k in ks])
            shares.append(sum(hits[:relevant]) / relevant)
            precisions = [sum(hits[: i + 1]) / (i + 1) for i in range(relevant) if hits[i]]
            averages.append(sum(precisions) / relevant)
    return {
        **{
            f"retrieval.recall_at_{k}": sum(column) / len(column)
            for k, column in zip(ks, zip(*recalls, strict=True), strict=True)
        },
        PRECISION: sum(shares) / len(shares),
        MAP: sum(averages) / len(averages),
    }


@settings(max_examples=at_most(50), deadline=None)
@given(
    seed=st.integers(0, 2**31),
    sizes=st.lists(st.integers(1, 8), min_size=1, max_size=6).filter(lambda sizes: max(sizes) > 1),
)
def test_agrees_with_the_loop(seed: int, sizes: list[int]) -> None:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes)) * 5 - 9
    labels = labels[torch.randperm(len(labels), generator=generator)]
    embeddings = torch.randn(len(labels), 3, generator=generator, dtype=torch.float64)
    assert retrieval(embeddings, labels) == pytest.approx(by_loop(embeddings, labels))
    assert left_out(labels) == sizes.count(1)


@pytest.mark.parametrize("offset", [0, 30])
def test_agrees_with_pytorch_metric_learning(offset: float) -> None:
    torch.manual_seed(0)
    labels = torch.arange(400) % 10
    centres = functional.normalize(torch.randn(10, 16), dim=1)
    embeddings = centres[labels] + 0.3 * torch.randn(400, 16)
    calculator = AccuracyCalculator(
        include=("precision_at_1", "r_precision", "mean_average_precision_at_r"),
        device=torch.device("cpu"),
    )
    peer = calculator.get_accuracy(embeddings, labels)
    values = retrieval(embeddings + offset, labels)
    assert 0.2 < values[MAP] < 0.8
    tolerance = 1e-6 if offset == 0 else 1e-3  # the offset itself rounds the embeddings
    assert values[RECALL] == pytest.approx(peer["precision_at_1"], abs=tolerance)
    assert values[MAP] == pytest.approx(peer["mean_average_precision_at_r"], abs=tolerance)
    assert values[PRECISION] == pytest.approx(peer["r_precision"], abs=tolerance)

    gallery, gallery_labels = embeddings[:250], labels[:250]
    peer = calculator.get_accuracy(embeddings[250:], labels[250:], gallery, gallery_labels)
    values = retrieval(embeddings[250:], labels[250:], gallery, gallery_labels)
    assert values[RECALL] == pytest.approx(peer["precision_at_1"], abs=1e-6)
    assert values[MAP] == pytest.approx(peer["mean_average_precision_at_r"], abs=1e-6)
    assert values[PRECISION] == pytest.approx(peer["r_precision"], abs=1e-6)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    embeddings, labels = torch.randn(100, 4), torch.arange(100) % 4
    whole = retrieval(embeddings, labels)
    monkeypatch.setattr(neighbours, "CHUNK_ELEMENTS", 700)
    assert len(list(neighbours.nearest_neighbours(embeddings, embeddings, 1))) == 15
    assert retrieval(embeddings, labels) == pytest.approx(whole)


def test_rankings_are_always_the_same() -> None:
    """Where all items coincide, the order of the gallery decides."""
    labels = torch.arange(12) % 3
    first = retrieval(torch.ones(12, 2), labels)
    assert first == retrieval(torch.ones(12, 2), labels)
    nearest = list(
        neighbours.nearest_neighbours(torch.ones(4, 2), torch.ones(4, 2), 3, leave_self_out=True)
    )
    assert torch.cat([part for _, part in nearest]).tolist() == [
        [1, 2, 3],
        [0, 2, 3],
        [0, 1, 3],
        [0, 1, 2],
    ]


@pytest.mark.parametrize("size", [1e-38, 1e-30, 1e18, 1e37])
def test_very_small_and_very_large_embeddings(size: float) -> None:
    """Their squares would vanish or overflow."""
    torch.manual_seed(0)
    embeddings, labels = torch.randn(60, 4), torch.arange(60) % 3
    assert retrieval(embeddings * size, labels) == pytest.approx(
        retrieval(embeddings, labels), abs=0.02
    )


def test_a_gallery_of_another_precision() -> None:
    torch.manual_seed(0)
    embeddings, labels = torch.randn(60, 4), torch.arange(60) % 3
    parts = (embeddings[:20], labels[:20], embeddings[20:], labels[20:])
    mixed = retrieval(parts[0].double(), parts[1], parts[2], parts[3])
    assert mixed == pytest.approx(retrieval(*parts))


def test_embeddings_that_require_gradients_are_accepted() -> None:
    torch.manual_seed(0)
    embeddings, labels = torch.randn(20, 4), torch.arange(20) % 3
    assert retrieval(embeddings.clone().requires_grad_(), labels) == retrieval(embeddings, labels)


def test_ks() -> None:
    torch.manual_seed(0)
    embeddings, labels = torch.randn(9, 2), torch.arange(9) % 2
    values = retrieval(embeddings, labels, ks=(8, 3))
    assert set(values) == {"retrieval.recall_at_8", "retrieval.recall_at_3", PRECISION, MAP}
    assert values["retrieval.recall_at_8"] == 1
    expected = r"ks: expected 1 to 8, .*, got "
    for k in (0, -1, 9):
        with pytest.raises(InputError, match=expected + str(k)):
            retrieval(embeddings, labels, ks=(1, k))
    retrieval(embeddings, labels, embeddings, labels, ks=(9,))
    with pytest.raises(InputError, match=r"ks: expected 1 to 9, .*, got 10"):
        retrieval(embeddings, labels, embeddings, labels, ks=(10,))
    assert "retrieval.recall_at_8" not in retrieval(embeddings[:8], labels[:8])


@pytest.mark.parametrize(
    ("gallery", "gallery_labels", "message"),
    [
        (torch.zeros(3, 2), None, "gallery_labels: needed with gallery"),
        (None, torch.zeros(3).long(), "gallery: needed with gallery_labels"),
        (torch.zeros(3, 5), torch.zeros(3).long(), r"gallery: .*D = 2.* \[3, 5\]"),
        (torch.zeros(3, 2), torch.zeros(4).long(), r"gallery_labels: .*\[3\].* \[4\]"),
        (torch.full((3, 2), torch.nan), torch.zeros(3).long(), "gallery: 3 of 3 rows"),
        (torch.zeros(3, 2), torch.full((3,), 8), "labels: no query"),
    ],
)
def test_input_errors_of_a_gallery(
    gallery: Tensor | None, gallery_labels: Tensor | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        retrieval(torch.zeros(4, 2), torch.tensor([0, 0, 1, 1]), gallery, gallery_labels)


def test_input_errors_of_the_queries() -> None:
    with pytest.raises(InputError, match=r"labels: .*two members, got 4 classes of one"):
        retrieval(torch.zeros(4, 2), torch.arange(4))
    with pytest.raises(InputError, match=r"embeddings: 1 of 2 rows are not finite"):
        retrieval(torch.tensor([[0.0], [torch.inf]]), torch.zeros(2).long())
