"""Classification by nearest neighbours."""

from typing import Final

from torch import Tensor

from worker.measure.inputs import check, check_width
from worker.measure.neighbours import nearest

KS: Final = (1, 5, 20)


def classification(
    train: Tensor, train_labels: Tensor, test: Tensor, test_labels: Tensor
) -> dict[str, float]:
    """Share of test items whose k nearest training items vote for their class, k = 1, 5, 20.

    The majority wins; among classes with as many votes, the one whose first vote is nearest.

    Args:
        train: [N, D] float32 or float64, finite.
        train_labels: [N] integers.
        test: [Q, D].
        test_labels: [Q].

    Returns:
        `classification.knn_accuracy_{k}`; a k beyond N is left out.

    Raises:
        InputError: names the argument and what was seen.
    """
    check(train, train_labels, "train")
    check(test, test_labels, "test")
    check_width(test, train, "test")
    ks = [k for k in KS if k <= len(train)]
    right = dict.fromkeys(ks, 0)
    for chunk, found in nearest(test, train, max(ks)):
        voted = train_labels[found]
        for k in ks:
            right[k] += int((_majority(voted[:, :k]) == test_labels[chunk]).sum())
    return {f"classification.knn_accuracy_{k}": right[k] / len(test) for k in ks}


def _majority(voted: Tensor) -> Tensor:
    """The most frequent label of each row [Q, k], nearest first; ties go to the nearest."""
    agree = (voted[:, :, None] == voted[:, None, :]).sum(dim=2)
    return voted.gather(1, agree.argmax(dim=1, keepdim=True)).squeeze(1)
