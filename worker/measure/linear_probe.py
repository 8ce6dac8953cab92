"""A linear probe: what a logistic regression reads off the embeddings."""

import warnings
from typing import Final

import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from worker.measure.threads import torch_threads

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
