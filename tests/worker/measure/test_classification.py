"""kNN accuracy against a loop and scikit-learn."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor, nn

from contract.metrics import METRICS
from tests.support.examples import at_most
from worker.errors import InputError
from worker.measure import classification, knn_leave_one_out, neighbours

PREFIX = "classification.knn_accuracy_"
PROBE = "classification.linear_probe_accuracy"


def by_loop(
    train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor, k: int
) -> float:
    right = 0
    for item, label in zip(test, test_labels.tolist(), strict=True):
        order = (train - item).norm(dim=1).argsort()[:k]
        votes = train_labels[order].tolist()
        counts = Counter(votes)  # in order of first vote, and max keeps the first
        right += max(counts, key=counts.__getitem__) == label
    return right / len(test)


@settings(max_examples=at_most(40), deadline=None)
@given(seed=st.integers(0, 2**31), size=st.integers(1, 60), classes=st.integers(1, 6))
def test_agrees_with_the_loop(seed: int, size: int, classes: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    train = torch.randn(size, 2, generator=generator, dtype=torch.float64) + 30
    test = torch.randn(20, 2, generator=generator, dtype=torch.float64) + 30
    train_labels = torch.randint(0, classes, (size,), generator=generator) - 2
    test_labels = torch.randint(0, classes, (20,), generator=generator) - 2
    seen = classification(train, train_labels, test, test_labels)
    assert set(seen) <= set(METRICS)
    assert (PROBE in seen) == (len(train_labels.unique()) > 1)
    seen.pop(PROBE, None)
    assert seen == {
        f"{PREFIX}{k}": by_loop(train, train_labels, test, test_labels, k)
        for k in (1, 5, 20)
        if k <= size
    }


def test_agrees_with_scikit_learn() -> None:
    torch.manual_seed(0)
    labels = torch.arange(600) % 2  # two classes and an odd k: no ties
    embeddings = torch.randn(600, 8) + labels[:, None] * 0.8
    seen = classification(embeddings[:400], labels[:400], embeddings[400:], labels[400:])
    for k in (1, 5):
        peer = KNeighborsClassifier(k).fit(embeddings[:400].numpy(), labels[:400].numpy())
        score = peer.score(embeddings[400:].numpy(), labels[400:].numpy())
        assert 0.7 < score < 1
        assert seen[f"{PREFIX}{k}"] == pytest.approx(score)


def test_agrees_with_scikit_learn_where_there_is_no_tie() -> None:
    """k = 20 with three classes; scikit-learn breaks ties in favour of the lowest label."""
    torch.manual_seed(0)
    labels = torch.arange(600) % 3
    embeddings = torch.randn(600, 8) + nn.functional.one_hot(labels, 8)
    peer = KNeighborsClassifier(20).fit(embeddings[:400].numpy(), labels[:400].numpy())
    shares = torch.from_numpy(peer.predict_proba(embeddings[400:].numpy())).sort(dim=1).values
    clear = 400 + torch.nonzero(shares[:, -1] > shares[:, -2]).squeeze(1)
    assert 100 < len(clear) < 200
    seen = classification(embeddings[:400], labels[:400], embeddings[clear], labels[clear])
    score = peer.score(embeddings[clear].numpy(), labels[clear].numpy())
    assert seen[f"{PREFIX}20"] == pytest.approx(score)


def test_ties_go_to_the_nearest() -> None:
    """7 and 3 have two votes each, 5 has one: the class of the nearest item wins."""
    train = torch.tensor([[1.0], [2.0], [3.0], [4.0], [5.0]])
    origin = torch.zeros(1, 1)
    votes = torch.tensor([7, 3, 3, 7, 5])
    assert classification(train, votes, origin, torch.tensor([7]))[f"{PREFIX}5"] == 1
    assert classification(train, votes, origin, torch.tensor([3]))[f"{PREFIX}5"] == 0
    votes = torch.tensor([5, 3, 3, 7, 7])
    assert classification(train, votes, origin, torch.tensor([3]))[f"{PREFIX}5"] == 1
    assert classification(train, votes, origin, torch.tensor([5]))[f"{PREFIX}1"] == 1


def test_a_k_beyond_the_gallery_is_left_out() -> None:
    few = classification(
        torch.zeros(4, 1), torch.zeros(4).long(), torch.ones(1, 1), torch.tensor([0])
    )
    assert few == {f"{PREFIX}1": 1}


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    embeddings, labels = torch.randn(100, 4), torch.arange(100) % 4
    parts = (embeddings[:60], labels[:60], embeddings[60:], labels[60:])
    whole = classification(*parts)
    monkeypatch.setattr(neighbours, "CHUNK_ROWS", 7)
    assert classification(*parts) == whole


@pytest.mark.parametrize(
    ("train", "train_labels", "test", "test_labels", "message"),
    [
        (torch.zeros(0, 2), torch.zeros(0).long(), None, None, r"train: .*N >= 1.* \[0, 2\]"),
        (torch.zeros(3, 2), torch.zeros(2).long(), None, None, r"train_labels: .*\[3\].* \[2\]"),
        (None, None, torch.zeros(3, 5), torch.zeros(3).long(), r"test: .*D = 2.* \[3, 5\]"),
        (None, None, torch.full((1, 2), torch.nan), torch.zeros(1).long(), r"test: 1 of 1 rows"),
    ],
)
def test_input_errors_name_what_was_seen(
    train: Tensor | None,
    train_labels: Tensor | None,
    test: Tensor | None,
    test_labels: Tensor | None,
    message: str,
) -> None:
    good, labels = torch.zeros(4, 2), torch.zeros(4).long()
    with pytest.raises(InputError, match=message):
        classification(
            good if train is None else train,
            labels if train_labels is None else train_labels,
            good if test is None else test,
            labels if test_labels is None else test_labels,
        )


@settings(max_examples=at_most(40), deadline=None)
@given(
    seed=st.integers(0, 2**31),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5).filter(lambda sizes: max(sizes) > 1),
)
def test_leave_one_out_agrees_with_the_loop(seed: int, sizes: list[int]) -> None:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes)) - 2
    labels = labels[torch.randperm(len(labels), generator=generator)]
    embeddings = torch.randn(len(labels), 2, generator=generator, dtype=torch.float64)
    right: dict[str, list[float]] = {}
    for place, label in enumerate(labels.tolist()):
        if sizes[label + 2] > 1:
            others = torch.arange(len(labels)) != place
            for k in (1, 5, 20):
                if k < len(labels):
                    one = (embeddings[others], labels[others], embeddings[place, None])
                    hit = by_loop(*one, labels[place, None], k)
                    right.setdefault(f"{PREFIX}{k}", []).append(hit)
    seen = knn_leave_one_out(embeddings, labels)
    assert seen == pytest.approx({key: sum(hits) / len(hits) for key, hits in right.items()})


def test_leave_one_out_needs_a_pair() -> None:
    for count in (1, 3):
        with pytest.raises(InputError, match=rf"two members, got {count} classes of one"):
            knn_leave_one_out(torch.zeros(count, 2), torch.arange(count))
