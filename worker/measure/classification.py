"""Classification of embeddings by their nearest neighbours and by a linear probe."""

import warnings
from typing import Final

import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from contract.metrics import KNN_KS
from worker.measure.inputs import check_embeddings, check_pairs, check_width, limit_to_torch_threads
from worker.measure.neighbours import nearest_neighbours
from worker.measure.retrieval import relevant_items
from worker.reporting import signs_of_life

C: Final = 1.0
"""Inverse strength of the probe's L2 penalty; the default of scikit-learn."""

TOLERANCE: Final = 1e-4
"""Largest gradient of the mean loss at which the probe counts as converged. Its accuracy is then
within 0.002 of the final one; at 1e-2 it may be 0.07 off."""

MAX_ITERATIONS: Final = 100
"""Most iterations of L-BFGS."""


@torch.no_grad()
def classification(
    train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor
) -> dict[str, float]:
    """Measure the accuracy of k nearest neighbours, k = 1, 5, 20, and of a linear probe.

    The k nearest training items vote for their class and the majority wins; among classes with the
    same number of votes, the one with the nearest vote. The probe is a logistic regression on
    standardised features (`linear_probe_accuracy`).

    Args:
        train: [N, D] float32 or float64, finite.
        train_labels: [N] integers.
        test: [Q, D].
        test_labels: [Q].

    Returns:
        `classification.knn_accuracy_{k}` for each k up to N, and
        `classification.linear_probe_accuracy` unless all training items have one class.

    Raises:
        InputError: an argument has a wrong shape, type or value; the message names it.
    """
    train, train_labels = check_embeddings(train, train_labels, "train", "train_labels")
    test, test_labels = check_embeddings(test, test_labels, "test", "test_labels")
    check_width(test, train, "test")
    ks = [k for k in KNN_KS if k <= len(train)]
    right = dict.fromkeys(ks, 0)
    for chunk, found in nearest_neighbours(test, train, max(ks)):
        _count_correct(right, train_labels[found], test_labels[chunk])
    values = {_knn_key(k): right[k] / len(test) for k in ks}
    if (probed := linear_probe_accuracy(train, train_labels, test, test_labels)) is not None:
        values["classification.linear_probe_accuracy"] = probed
    return values


@torch.no_grad()
def knn_leave_one_out(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    """Measure the accuracy of k nearest neighbours among all other items, k = 1, 5, 20.

    This serves held-out classes, which have no training items. An item that is the only one of its
    class is left out as a query; `left_out` counts these.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        labels: [N] integers, with at least one class of two members.

    Returns:
        `classification.knn_accuracy_{k}` for each k up to N - 1.

    Raises:
        InputError: an argument has a wrong shape, type or value; the message names it.
    """
    embeddings, labels = check_pairs(embeddings, labels)
    asked = relevant_items(labels, labels) > 1
    ks = [k for k in KNN_KS if k < len(embeddings)]
    right = dict.fromkeys(ks, 0)
    for chunk, found in nearest_neighbours(embeddings, embeddings, max(ks), leave_self_out=True):
        wanted = asked[chunk]
        _count_correct(right, labels[found[wanted]], labels[chunk][wanted])
    return {_knn_key(k): right[k] / int(asked.sum()) for k in ks}


def linear_probe_accuracy(
    train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor
) -> float | None:
    """Return the accuracy on test items of a logistic regression fitted to training embeddings.

    Features are standardised by mean and deviation of the training items. L-BFGS runs with fixed
    settings from zero weights for at most 100 iterations; a probe that has not converged by then is
    used as it is, without a warning. A test item of a class without training items counts as wrong.

    Args:
        train: [N, D] float32 or float64, finite.
        train_labels: [N] integers.
        test: [Q, D].
        test_labels: [Q].

    Returns:
        Share of test items predicted correctly; None where the training items have one class only.
    """
    if (train_labels == train_labels[0]).all():
        return None
    # The first item is subtracted, so that a constant feature has a deviation of exactly 0.
    points, others = (part.to(torch.float64) - train[0] for part in (train, test))
    mean, deviation = points.mean(dim=0), points.std(dim=0, correction=0)
    deviation = torch.where(deviation > 0, deviation, 1)
    known, asked = (((part - mean) / deviation).cpu().numpy() for part in (points, others))
    probe = LogisticRegression(C=C, tol=TOLERANCE, max_iter=MAX_ITERATIONS)
    with signs_of_life.long_call(), limit_to_torch_threads(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        probe.fit(known, train_labels.cpu().numpy())
        predicted = torch.from_numpy(probe.predict(asked))
    return float((predicted == test_labels.cpu()).to(torch.float64).mean())


def _knn_key(k: int) -> str:
    return f"classification.knn_accuracy_{k}"


def _count_correct(right: dict[int, int], voted: Tensor, labels: Tensor) -> None:
    """Add to `right`, for each k, how many labels [Q] equal the majority of the first k votes
    [Q, K]."""
    for k in right:
        right[k] += int((_majority_vote(voted[:, :k]) == labels).sum())


def _majority_vote(voted: Tensor) -> Tensor:
    """Return the most frequent label of each row [Q, k], nearest first; ties go to the nearest."""
    agree = (voted[:, :, None] == voted[:, None, :]).sum(dim=2)
    return voted.gather(1, agree.argmax(dim=1, keepdim=True)).squeeze(1)
