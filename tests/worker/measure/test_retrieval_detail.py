"""Detail retention against fixtures and a loop."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.metrics import METRICS
from tests.support.examples import at_most
from worker.errors import InputError
from worker.measure import detail, left_out, neighbours

KEY = "detail.recall_at_1"


def test_fixture() -> None:
    """Of four queries two find their fine label; the only item of a fine label is no query."""
    embeddings = torch.tensor([[0.0], [0.1], [5.0], [5.1], [5.3]])
    fine = torch.tensor([7, 7, 3, 9, 3])
    assert detail(embeddings, fine) == {KEY: 2 / 4}
    assert left_out(fine) == 1
    assert KEY in METRICS


@settings(max_examples=at_most(40), deadline=None)
@given(
    seed=st.integers(0, 2**31),
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=8).filter(lambda sizes: max(sizes) > 1),
)
def test_agrees_with_the_loop(seed: int, sizes: list[int]) -> None:
    generator = torch.Generator().manual_seed(seed)
    fine = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes)) * 5 - 9
    embeddings = torch.randn(len(fine), 3, generator=generator)
    right = []
    for q in range(len(fine)):
        distances = (embeddings - embeddings[q]).norm(dim=1)
        distances[q] = torch.inf
        if int((fine == fine[q]).sum()) > 1:
            right.append(bool(fine[distances.argmin()] == fine[q]))
    assert detail(embeddings, fine) == {KEY: pytest.approx(sum(right) / len(right))}


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    embeddings, fine = torch.randn(100, 4), torch.arange(100) % 9
    whole = detail(embeddings, fine)
    monkeypatch.setattr(neighbours, "CHUNK_ROWS", 7)
    assert detail(embeddings, fine) == whole


def test_input_errors() -> None:
    points = torch.randn(3, 2)
    with pytest.raises(InputError, match=r"fine_labels: .*two items, got 3 with one each"):
        detail(points, torch.arange(3))
    with pytest.raises(InputError, match=r"fine_labels: expected shape \[3\].* \[4\]"):
        detail(points, torch.zeros(4).long())
    with pytest.raises(InputError, match=r"fine_labels: expected integers, got torch.float32"):
        detail(points, torch.zeros(3))
    with pytest.raises(InputError, match=r"embeddings: 3 of 3 rows are not finite"):
        detail(points * torch.nan, torch.zeros(3).long())
