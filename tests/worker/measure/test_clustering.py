"""NMI and AMI of k-means against direct calls of scikit-learn, and degenerate inputs."""

import importlib

import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score, normalized_mutual_info_score
from torch import Tensor

from contract.metrics import METRICS
from worker.errors import InputError
from worker.measure import clustering

NMI, AMI = "clustering.nmi", "clustering.ami"


def blobs(count: int, spread: float) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    centres = 10 * torch.eye(5)
    labels = torch.arange(count) % 5
    return centres[labels] + spread * torch.randn(count, 5, generator=generator), labels * 7 - 3


def test_clear_and_chance_clusters() -> None:
    embeddings, labels = blobs(200, 0.5)
    assert clustering(embeddings, labels) == {NMI: pytest.approx(1), AMI: pytest.approx(1)}
    noise = torch.randn(200, 5, generator=torch.Generator().manual_seed(1))
    values = clustering(noise, labels)
    assert set(values) <= set(METRICS)
    assert values[AMI] == pytest.approx(0, abs=0.05)
    assert values[NMI] > values[AMI]


def test_agrees_with_scikit_learn() -> None:
    """The peer uses many more starts, on clusters that overlap."""
    embeddings, labels = blobs(500, 4)
    found = KMeans(5, n_init=20, random_state=3).fit_predict(embeddings.numpy())
    nmi = normalized_mutual_info_score(labels.numpy(), found)
    assert 0.3 < nmi < 0.8
    values = clustering(embeddings, labels)
    assert values[NMI] == pytest.approx(nmi, abs=0.05)
    ami = adjusted_mutual_info_score(labels.numpy(), found)
    assert values[AMI] == pytest.approx(ami, abs=0.05)


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_global_seed_and_scale_do_not_matter(size: float) -> None:
    embeddings, labels = blobs(300, 4)
    values = clustering(embeddings, labels)
    torch.manual_seed(5)
    assert clustering(embeddings, labels) == values
    assert clustering(embeddings * size, labels) == pytest.approx(values, abs=0.02)


def test_many_items_are_clustered_by_a_fixed_subset(monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings, labels = blobs(2000, 4)
    whole = clustering(embeddings, labels)
    module = importlib.import_module("worker.measure.clustering")  # not the function
    monkeypatch.setattr(module, "MAX_ITEMS", 1000)
    some = clustering(embeddings, labels)
    assert some == clustering(embeddings, labels)
    assert some != whole
    assert some == pytest.approx(whole, abs=0.06)


def test_degenerate_inputs(capfd: pytest.CaptureFixture[str]) -> None:
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    assert clustering(torch.zeros(6, 2), labels) == {NMI: 0, AMI: 0}
    assert clustering(torch.full((6, 2), 0.1), labels) == {NMI: 0, AMI: 0}
    two_places = torch.tensor([[0.0], [0], [1], [1], [1], [1]])
    assert 0 < clustering(two_places, labels)[NMI] < 1
    pair = clustering(torch.tensor([[0.0], [1.0]]), torch.tensor([0, 1]))
    assert pair[NMI] == pytest.approx(1)
    assert capfd.readouterr() == ("", "")


def test_input_errors() -> None:
    with pytest.raises(InputError, match=r"labels: expected two classes or more, got only 4"):
        clustering(torch.randn(3, 2), torch.full((3,), 4))
    with pytest.raises(InputError, match=r"labels: expected shape \[3\].* \[2\]"):
        clustering(torch.randn(3, 2), torch.arange(2))
