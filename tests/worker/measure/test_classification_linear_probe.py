"""The linear probe against a scikit-learn pipeline, and its behaviour on degenerate inputs."""

import importlib

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from worker.measure import classification
from worker.measure.classification import linear_probe_accuracy

KEY = "classification.linear_probe_accuracy"


def blobs(count: int, classes: int = 4, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, classes, (count,), generator=generator) * 3 - 1
    noise = torch.randn(count, 8, generator=generator)
    stretch = torch.tensor([1, 10, 0.1, 1, 5, 1, 1, 0.01])
    return (CENTRES[(labels + 1) // 3] + noise) * stretch, labels


CENTRES = 0.6 * torch.randn(4, 8, generator=torch.Generator().manual_seed(9))


def test_agrees_with_scikit_learn() -> None:
    """The peer is fitted until it has converged, on features standardised by its own scaler."""
    train, train_labels = blobs(400)
    test, test_labels = blobs(500, seed=1)
    peer = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-8, max_iter=5000))
    peer.fit(train.double().numpy(), train_labels.numpy())
    score = peer.score(test.double().numpy(), test_labels.numpy())
    assert 0.6 < score < 0.95
    seen = linear_probe_accuracy(train, train_labels, test, test_labels)
    assert seen == pytest.approx(score, abs=0.005)
    assert seen == classification(train, train_labels, test, test_labels)[KEY]
    assert seen == linear_probe_accuracy(train * 100 + 7, train_labels, test * 100 + 7, test_labels)


def test_items_of_a_class_without_training_items_count_as_wrong() -> None:
    train, train_labels = blobs(200)
    test, test_labels = blobs(100, seed=1)
    known = linear_probe_accuracy(train, train_labels, test, test_labels)
    test_labels = torch.where(torch.arange(100) % 2 == 0, test_labels, 77)
    half = linear_probe_accuracy(train, train_labels, test[::2], test_labels[::2])
    assert known is not None
    assert half is not None
    assert 0.5 < half < 1
    seen = linear_probe_accuracy(train, train_labels, test, test_labels)
    assert seen == pytest.approx(half / 2)


def test_one_class_gives_no_accuracy() -> None:
    train, _ = blobs(20)
    labels = torch.zeros(20).long()
    assert linear_probe_accuracy(train, labels, train, labels) is None
    assert KEY not in classification(train, labels, train, labels)


def test_a_probe_that_has_not_converged_is_used_in_silence(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """It gives no warning, which tests treat as an error, and prints nothing."""
    module = importlib.import_module("worker.measure.classification")  # not the function
    monkeypatch.setattr(module, "MAX_ITERATIONS", 1)
    train, labels = blobs(200)
    assert linear_probe_accuracy(train, labels, train, labels) is not None
    assert capfd.readouterr() == ("", "")


def test_constant_features_do_not_matter() -> None:
    """Even where a test item has another value than the training items."""
    train, train_labels = blobs(200)
    test, test_labels = blobs(100, seed=1)
    plain = linear_probe_accuracy(train, train_labels, test, test_labels)
    constant, other = torch.full((200, 1), 0.1), torch.full((100, 1), 0.2)
    seen = linear_probe_accuracy(
        torch.cat([train, constant], 1), train_labels, torch.cat([test, other], 1), test_labels
    )
    assert seen == plain


def test_equal_items_are_predicted_as_the_largest_class() -> None:
    labels = torch.tensor([0, 1, 1])
    points = torch.full((3, 2), 0.1)
    assert linear_probe_accuracy(points, labels, points, labels) == pytest.approx(2 / 3)
