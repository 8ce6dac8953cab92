"""Classification by nearest neighbours and by a linear probe.

A linear probe: what a logistic regression reads off the embeddings.
"""

import warnings
from typing import Final

import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from contract.metrics import KNN_KS
from worker.measure.inputs import check, check_pairs, check_width, torch_threads
from worker.measure.neighbours import nearest
from worker.measure.retrieval import relevant_items

C: Final = 1.0
"""Inverse strength of the L2 penalty, as scikit-learn has it."""
TOLERANCE: Final = 1e-4
"""Largest gradient of the mean loss at which it counts as converged: the accuracy is then within
0.002 of where it ends; at 1e-2 it may be 0.07 off."""
MOST_STEPS: Final = 100


def linear_probe_accuracy(
    train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor
) -> float | None:
    """Share of test items that a logistic regression on the training embeddings gets right.

    Features are standardised by the training items; L-BFGS with fixed settings, from zero weights,
    for 100 steps at most: what has not converged by then is used as it is, without a warning. A
    test item of a class without training items is wrong.

    Args:
        train: [N, D] float32 or float64, finite.
        train_labels: [N] integers.
        test: [Q, D].
        test_labels: [Q].

    Returns:
        Accuracy, or None where the training items have one class only.
    """
    if (train_labels == train_labels[0]).all():
        return None
    # About an item, so that a constant feature deviates by exactly nothing.
    points, others = (part.to(torch.float64) - train[0] for part in (train, test))
    mean, deviation = points.mean(dim=0), points.std(dim=0, correction=0)
    deviation = torch.where(deviation > 0, deviation, 1)
    known, asked = (((part - mean) / deviation).cpu().numpy() for part in (points, others))
    probe = LogisticRegression(C=C, tol=TOLERANCE, max_iter=MOST_STEPS)
    with torch_threads(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        probe.fit(known, train_labels.cpu().numpy())
        predicted = torch.from_numpy(probe.predict(asked))
    return float((predicted == test_labels.cpu()).to(torch.float64).mean())


@torch.no_grad()
def classification(
    train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor
) -> dict[str, float]:
    """Accuracy of nearest neighbours, k = 1, 5, 20, and of a linear probe on the embeddings.

    Of the k nearest training items' classes the majority wins; among classes with as many votes,
    the one whose first vote is nearest. The probe is a logistic regression on standardised
    features.

    Args:
        train: [N, D] float32 or float64, finite.
        train_labels: [N] integers.
        test: [Q, D].
        test_labels: [Q].

    Returns:
        `classification.knn_accuracy_{k}`, a k beyond N left out, and
        `classification.linear_probe_accuracy`, left out where the training items have one class.

    Raises:
        InputError: names the argument and what was seen.
    """
    check(train, train_labels, "train", "train_labels")
    check(test, test_labels, "test", "test_labels")
    check_width(test, train, "test")
    ks = [k for k in KNN_KS if k <= len(train)]
    right = dict.fromkeys(ks, 0)
    for chunk, found in nearest(test, train, max(ks)):
        _count(right, train_labels[found], test_labels[chunk])
    values = {_key(k): right[k] / len(test) for k in ks}
    if (probed := linear_probe_accuracy(train, train_labels, test, test_labels)) is not None:
        values["classification.linear_probe_accuracy"] = probed
    return values


@torch.no_grad()
def knn_leave_one_out(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    """Accuracy of nearest neighbours where each item is classified by all others, k = 1, 5, 20.

    For held-out classes that have no training items. An item that is the only one of its class is
    left out as a query; `left_out` counts them.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        labels: [N] integers, with a class of two members.

    Returns:
        `classification.knn_accuracy_{k}`; a k beyond N - 1 is left out.

    Raises:
        InputError: names the argument and what was seen.
    """
    check_pairs(embeddings, labels)
    asked = relevant_items(labels, labels) > 1
    ks = [k for k in KNN_KS if k < len(embeddings)]
    right = dict.fromkeys(ks, 0)
    for chunk, found in nearest(embeddings, embeddings, max(ks), leave_self_out=True):
        wanted = asked[chunk]
        _count(right, labels[found[wanted]], labels[chunk][wanted])
    return {_key(k): right[k] / int(asked.sum()) for k in ks}


def _key(k: int) -> str:
    return f"classification.knn_accuracy_{k}"


def _count(right: dict[int, int], voted: Tensor, labels: Tensor) -> None:
    """Add to `right`, for each k, how many of the labels [Q] the first k votes [Q, K] give."""
    for k in right:
        right[k] += int((_majority(voted[:, :k]) == labels).sum())


def _majority(voted: Tensor) -> Tensor:
    """The most frequent label of each row [Q, k], nearest first; ties go to the nearest."""
    agree = (voted[:, :, None] == voted[:, None, :]).sum(dim=2)
    return voted.gather(1, agree.argmax(dim=1, keepdim=True)).squeeze(1)
