"""Which classes are confused: by hand, against a loop, and against Recall@1."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import at_most
from worker.errors import InputError
from worker.measure import confusion_of, nearest_others, retrieval


def test_by_hand() -> None:
    embeddings = torch.tensor([[0.0], [1.0], [1.4], [5.0], [5.1], [9.0]])
    labels = torch.tensor([7, 7, 9, 9, 9, 3])  # the only item of 3 is no query
    assert nearest_others(embeddings).tolist() == [1, 2, 1, 4, 3, 4]
    found = confusion_of(embeddings, labels)
    assert found.labels.tolist() == [3, 7, 9]
    assert found.items.tolist() == [0, 2, 3]
    assert {tuple(row) for row in found.pairs.tolist()} == {
        (1, 1, 1),
        (1, 2, 1),
        (2, 1, 1),
        (2, 2, 2),
    }


@settings(max_examples=at_most(30), deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 40), st.integers(1, 5))
def test_hits_over_items_are_recall_at_1(seed: int, count: int, classes: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    embeddings = torch.randint(0, 6, (count, 2), generator=generator).float()  # with many ties
    labels = torch.randint(0, classes, (count,), generator=generator)
    labels[:2] = 0
    found = confusion_of(embeddings, labels)
    right = sum(n for a, b, n in found.pairs.tolist() if a == b)
    recall = retrieval(embeddings, labels)["retrieval.recall_at_1"]
    assert right / int(found.items.sum()) == pytest.approx(recall)
    assert int(found.pairs[:, 2].sum()) == int(found.items.sum())


def test_broken_embeddings_are_refused() -> None:
    with pytest.raises(InputError, match="not finite"):
        confusion_of(torch.tensor([[torch.nan], [1.0]]), torch.tensor([0, 0]))
