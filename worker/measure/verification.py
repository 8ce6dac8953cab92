"""Verification: telling by a threshold on the distance whether two items are of one class.

All pairs of a split are counted by their Euclidean distance, those of one class and those of two
apart. Figures are taken of the counts, so that pairs from elsewhere can be judged alike.
"""

from typing import Final, NamedTuple

import torch
from torch import Tensor

from contract.metrics.verification import FAR_LIMITS
from worker.errors import InputError
from worker.measure.inputs import check_classes, check_pairs
from worker.measure.pair_distances import centred, squared_pair_distances

EXACT_PAIRS: Final = 2_000_000
"""Pairs up to which each distance is counted for itself."""
_ALIKE: Final = 2.0**-42
"""Squared distances that differ less, as a share of the largest, differ by rounding."""
BINS: Final = 2**16
"""Bins of more pairs; each is 1/65,536 of twice the largest distance to the mean, and the distances
in it count as equal."""


class PairCounts(NamedTuple):
    """How many pairs of one class and of two there are at each distance."""

    distances: Tensor
    """[T] rising: the largest distance that is counted at each place."""
    same: Tensor
    """[T] int64, pairs of one class."""
    different: Tensor
    """[T] int64, pairs of two classes."""


@torch.no_grad()
def verification(embeddings: Tensor, labels: Tensor) -> dict[str, float]:
    """Measure how well a threshold on the distance tells pairs of one class from pairs of two.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        labels: [N] integers, two classes or more, one of them with two members.

    Returns:
        `verification.roc_auc`, `verification.average_precision`,
        `verification.equal_error_rate` and `verification.tar_at_far_1_in_{limit}`, as
        `verification_figures` defines them. Of more than two million pairs, distances that fall
        into one of 65,536 bins count as equal.

    Raises:
        InputError: an argument has a wrong shape, type or value; the message names it.
    """
    return verification_figures(count_pairs(embeddings, labels))


@torch.no_grad()
def count_pairs(embeddings: Tensor, labels: Tensor) -> PairCounts:
    """Count all pairs of items by Euclidean distance; arguments as of `verification`.

    Raises:
        InputError: an argument has a wrong shape, type or value; the message names it.
    """
    embeddings, labels = check_pairs(embeddings, labels)
    check_classes(labels)
    points = centred(embeddings)
    if len(labels) * (len(labels) - 1) // 2 <= EXACT_PAIRS:
        parts = list(squared_pair_distances(points, labels))
        squared = torch.cat([part for part, _ in parts])
        unit = squared.max() * _ALIKE
        distances = (squared / unit).round().mul(unit).sqrt() if unit else squared
        return counts_of(distances, torch.cat([same for _, same in parts]))
    width = 2 * float(points.square().sum(dim=1).max().sqrt()) / BINS
    if not width:  # all items are one point
        sizes = labels.unique(return_counts=True)[1]
        within = (sizes * (sizes - 1) // 2).sum()[None]
        total = len(labels) * (len(labels) - 1) // 2
        return PairCounts(points.new_zeros(1), within, total - within)
    counts = torch.zeros(2 * BINS, dtype=torch.int64, device=points.device)
    for squared, same in squared_pair_distances(points, labels):
        places = squared.sqrt_().div_(width).to(torch.int32).clamp_(max=BINS - 1)
        counts += places.add_(same, alpha=BINS).bincount(minlength=2 * BINS)
    different, positive = counts.view(2, BINS)
    held = (different + positive) > 0
    edges = width * torch.arange(1, BINS + 1, dtype=torch.float64, device=points.device)
    return PairCounts(edges[held], positive[held], different[held])


def counts_of(distances: Tensor, same: Tensor) -> PairCounts:
    """Count pairs of known distances.

    Args:
        distances: [P] of any pairs, finite.
        same: [P] bool, whether a pair is of one class.

    Raises:
        InputError: no pair is of one class, or none of two.
    """
    for wanted, words in ((same, "one class"), (~same, "two classes")):
        if not wanted.any():
            raise InputError(f"same: expected a pair of {words}, got none in {len(same)}")
    values, places = distances.unique(return_inverse=True)
    counts = [
        torch.zeros(len(values), dtype=torch.int64, device=values.device).index_add_(
            0, places, part.to(torch.int64)
        )
        for part in (same, ~same)
    ]
    return PairCounts(values, *counts)


def verification_figures(counts: PairCounts) -> dict[str, float]:
    """Return the figures of counted pairs, by metric key.

    With a threshold at each distance, TAR is the share of the pairs of one class at or below it,
    FAR that of the pairs of two classes, and FRR = 1 - TAR. ROC-AUC is the probability that a pair
    of one class is nearer than one of two, equal ones counting half. Average precision sums the
    precision at each threshold, weighted by the TAR that it adds. The equal error rate is where
    straight lines between thresholds cross FAR = FRR. TAR at a FAR is the largest TAR of a
    threshold with at most that FAR; 0 where there is none.
    """
    tar, far = _rates(counts)
    same, different = counts.same.to(torch.float64), counts.different.to(torch.float64)
    nearer = same / same.sum() * (1 - far + different / different.sum() / 2)
    accepted = same.cumsum(0)
    precision = accepted / (accepted + different.cumsum(0))
    found = {
        "verification.roc_auc": float(nearer.sum().clamp(0, 1)),
        "verification.average_precision": float((same / same.sum() * precision).sum().clamp(0, 1)),
        "verification.equal_error_rate": _equal_error(tar, far),
    }
    for limit in FAR_LIMITS:
        allowed = tar[far <= 1 / limit]
        found[f"verification.tar_at_far_1_in_{limit}"] = (
            float(allowed.max()) if len(allowed) else 0.0
        )
    return found


def best_threshold(counts: PairCounts) -> float:
    """Return the distance at which the mean of FAR and FRR is smallest; the smallest of several.

    It lies halfway between two distances, so that it does not depend on rounding.
    """
    tar, far = _rates(counts)
    best = int((far - tar).argmin())
    here = counts.distances[best]
    beyond = counts.distances[best + 1] if best + 1 < len(tar) else here
    return float((here + beyond) / 2)


@torch.no_grad()
def at_threshold(embeddings: Tensor, labels: Tensor, threshold: float) -> dict[str, float]:
    """Measure verification with a threshold that was chosen elsewhere.

    Args:
        embeddings: [N, D] float32 or float64, finite.
        labels: [N] integers, two classes or more, one of them with two members.
        threshold: largest distance of pairs that are accepted.

    Returns:
        `verification.threshold.far`, `.frr`, their mean `.balanced_error`, and `.frr_spread`, the
        standard deviation over classes (of all with two members) of the FRR of their own pairs.

    Raises:
        InputError: an argument has a wrong shape, type or value; the message names it.
    """
    embeddings, labels = check_pairs(embeddings, labels)
    check_classes(labels)
    points = centred(embeddings)
    accepted = same_accepted = 0
    for squared, same in squared_pair_distances(points, labels):
        near = squared <= threshold**2
        accepted += int(near.sum())
        same_accepted += int((near & same).sum())
    _, sizes = labels.unique(return_counts=True)
    pairs = sizes * (sizes - 1) // 2
    total = len(labels) * (len(labels) - 1) // 2
    far = (accepted - same_accepted) / (total - int(pairs.sum()))
    frr = 1 - same_accepted / int(pairs.sum())
    return {
        "verification.threshold.balanced_error": (far + frr) / 2,
        "verification.threshold.far": far,
        "verification.threshold.frr": frr,
        "verification.threshold.frr_spread": _spread_over_classes(points, labels, threshold),
    }


def _spread_over_classes(points: Tensor, labels: Tensor, threshold: float) -> float:
    rejected = []
    for label in labels.unique():
        members = points[labels == label]
        if len(members) > 1:
            apart = torch.pdist(members) > threshold
            rejected.append(apart.to(torch.float64).mean())
    return float(torch.stack(rejected).std(correction=0))


def _rates(counts: PairCounts) -> tuple[Tensor, Tensor]:
    """Return TAR and FAR [T] with a threshold at each distance."""
    return (
        counts.same.cumsum(0).to(torch.float64) / counts.same.sum(),
        counts.different.cumsum(0).to(torch.float64) / counts.different.sum(),
    )


def _equal_error(tar: Tensor, far: Tensor) -> float:
    frr = torch.cat([tar.new_ones(1), 1 - tar])
    far = torch.cat([far.new_zeros(1), far])
    after = int((far >= frr).to(torch.int8).argmax())
    before = after - 1
    gap, next_gap = float(frr[before] - far[before]), float(far[after] - frr[after])
    share = gap / (gap + next_gap) if gap + next_gap else 0.0
    return float(far[before] + share * (far[after] - far[before]))
