"""The linear probe against scikit-learn's own pipeline, and where it has little to go by."""

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
    """Fitted until nothing moves any more, on features standardised by its own scaler."""
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


def test_a_class_that_training_has_not_is_wrong() -> None:
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


def test_one_class_is_left_out() -> None:
    train, _ = blobs(20)
    labels = torch.zeros(20).long()
    assert linear_probe_accuracy(train, labels, train, labels) is None
    assert KEY not in classification(train, labels, train, labels)


def test_too_few_steps_are_no_matter(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """No warning, which the tests would take for an error, and no word on the console."""
    monkeypatch.setattr(classification, "MOST_STEPS", 1)
    train, labels = blobs(200)
    assert linear_probe_accuracy(train, labels, train, labels) is not None
    assert capfd.readouterr() == ("", "")


def test_constant_features_say_nothing() -> None:
    """Not even where a test item has another value there."""
    train, train_labels = blobs(200)
    test, test_labels = blobs(100, seed=1)
    plain = linear_probe_accuracy(train, train_labels, test, test_labels)
    dull, other = torch.full((200, 1), 0.1), torch.full((100, 1), 0.2)
    seen = linear_probe_accuracy(
        torch.cat([train, dull], 1), train_labels, torch.cat([test, other], 1), test_labels
    )
    assert seen == plain


def test_all_items_alike_give_the_largest_class() -> None:
    labels = torch.tensor([0, 1, 1])
    points = torch.full((3, 2), 0.1)
    assert linear_probe_accuracy(points, labels, points, labels) == pytest.approx(2 / 3)
