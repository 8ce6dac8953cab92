"""What the check says of plug-ins: of ours, of the library's, and of some that cannot be used."""

import re
from pathlib import Path

import pytest

from contract.comparison.plugins import PluginEntry
from tests.support.plugins import TRIPLETS, entry_of, put
from worker.plugins.checks import check
from worker.plugins.sources import Place, load, places

HEAD = """
import random
import torch
from torch import nn
from worker.plugins import Terms, loss
"""
ONE = """
@loss(name="one")
class One(nn.Module):
    {state}
    def forward(self, embeddings, labels{more}):
        {body}
"""


def checked(folder: Path, body: str, *, more: str = "", state: str = "pass") -> PluginEntry:
    path = put(folder / "losses", "one", HEAD + ONE.format(body=body, more=more, state=state))
    return entry_of(Place("file", str(path)))


def test_a_good_one_has_its_parameters_and_no_problem(tmp_path: Path) -> None:
    path = put(tmp_path / "losses", "triplets", TRIPLETS)
    found = {one.name: one for one in map(check, load(Place("file", str(path))))}
    assert {one.problem for one in found.values()} == {""}
    counted, plain = found["counted_triplet"], found["plain_triplet"]
    assert (counted.counts, plain.counts) == ("terms", "value")
    assert (counted.two_modalities, plain.two_modalities) == (True, False)
    assert counted.paper == "arXiv 1503.03832"
    assert counted.url == "https://arxiv.org/abs/1503.03832"
    assert counted.idea == "Sums and counts all triplets without listing them."
    assert (counted.label, plain.label) == ("CountedTriplet", "Plain triplet")
    assert counted.parameters["margin"]["maximum"] == 1000
    assert len({one.digest for one in found.values()}) == 3
    assert all(one.notes == [] for one in found.values())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return embeddings.sum() * float('nan')", "its loss of 12 items in 3 classes is nan"),
        ("return embeddings", r"returned a tensor of shape \[12, 8\]; needs one number, or Terms"),
        ("return 1.0", "returned float, not a tensor or Terms"),
        ("return labels.sum()", "returned torch.int64, not a float"),
        ("return embeddings.detach().sum()", "its loss has no gradient: nothing could be learned"),
        ("return embeddings.sum() * random.random()", "draws from a stream that a run cannot"),
        ("return (embeddings * 0).sqrt().sum()", "its gradient at the embeddings is not finite"),
        ("return Terms(embeddings, labels)", "Terms.valid: expected torch.bool of shape"),
        ("raise KeyError('no key')", r"KeyError: 'no key' \(line 11 of .*one\.py\)"),
    ],
)
def test_one_that_cannot_be_used_says_why(tmp_path: Path, body: str, said: str) -> None:
    found = checked(tmp_path, body)
    assert not found.usable
    assert re.search(said, found.problem), found.problem


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("return embeddings[0].sum()", "depends on the order of the items"),
        ("return embeddings.sum() * torch.rand(())", "It draws at random."),
        (
            "return torch.cdist(embeddings, embeddings[labels != labels[0]]).min(dim=1)[0].sum()",
            "It fails on a batch of one class",
        ),
        ("return embeddings.sum() + float(embeddings.dtype == torch.float64)", "in float64"),
    ],
)
def test_one_that_is_odd_can_be_used_and_says_so(tmp_path: Path, body: str, said: str) -> None:
    found = checked(tmp_path, body)
    assert found.problem == ""
    assert any(said in one for one in found.notes), found.notes


def test_what_has_weights_is_trainable_and_gets_the_numbers_of_classes(tmp_path: Path) -> None:
    state = (
        "def __init__(self, num_classes, dim):\n"
        "        super().__init__()\n"
        "        self.weights = nn.Parameter(torch.randn(num_classes, dim))\n"
    )
    found = checked(
        tmp_path, "return (embeddings @ self.weights.T).logsumexp(1).mean()", state=state
    )
    assert (found.problem, found.trainable, found.parameters) == ("", True, {})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what the library does is not ours
def test_every_loss_of_the_library_that_takes_labels_can_be_used() -> None:
    names = [place.where for place in places(("pml",)) if not place.problem]
    found = {name: entry_of(Place("pml", name)) for name in names}
    assert len(found) == 33
    assert {name: one.problem for name, one in found.items() if one.problem} == {}
    assert {name for name, one in found.items() if one.counts == "value"} == {
        *("DynamicSoftMarginLoss", "HistogramLoss", "P2SGradLoss", "PNPLoss"),
        "ThresholdConsistentMarginLoss",
    }
    assert {name for name, one in found.items() if one.trainable} == {
        *("ArcFaceLoss", "CosFaceLoss", "LargeMarginSoftmaxLoss", "NormalizedSoftmaxLoss"),
        *("P2SGradLoss", "ProxyAnchorLoss", "ProxyNCALoss", "SoftTripleLoss", "SphereFaceLoss"),
        "SubCenterArcFaceLoss",
    }
    similarity = found["MultiSimilarityLoss"]
    assert len(similarity.miners) == 9
    assert set(similarity.distances) == {
        *("CosineSimilarity", "DotProductSimilarity", "LpDistance", "SNRDistance")
    }
    assert list(found["CircleLoss"].distances) == ["CosineSimilarity"]
