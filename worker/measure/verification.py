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
from worker.torch_utils import as_tensor

EXACT_PAIRS: Final = 1_000_000
"""Pairs up to which each distance is counted for itself."""
_ALIKE: Final = 2.0**-42
"""Squared distances that differ less, as a share of the largest, differ by rounding."""
_DIGITS: Final = 15
"""Binary digits after the first one that squared distances of more pairs keep: a bin is as wide as
its distances ask, whatever the largest one is."""
_DROPPED: Final = 52 - _DIGITS
"""Digits of a float64 that are rounded away."""
_COUNTED_AT_ONCE: Final = 2**22
"""Pairs whose bins are kept until they are counted: 16 MiB; to count costs a pass over the bins."""
_PAIRWISE_MEMBERS: Final = 1_000
"""Members of the largest class whose pairs are all in memory at once: 4 MiB."""


class PairCounts(NamedTuple):
    """How many pairs of one class and of two there are at each distance."""

    distances: Tensor
    """[T] rising: the distance of the pairs that are counted at each place."""
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
        `verification_figures` defines them. Up to a million pairs they are exact. Of more,
        squared distances count as equal once they are rounded to 16 significant binary digits, and
        as 0 below 2^-42 of the largest possible one.

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
    if len(labels) * (len(labels) - 1) // 2 > EXACT_PAIRS:
        return _count_rounded(points, labels)
    parts = list(squared_pair_distances(points, labels))
    squared = torch.cat([part for part, _ in parts])
    same = torch.cat([part for _, part in parts])
    if unit := float(squared.max()) * _ALIKE:
        squared.div_(unit).round_().mul_(unit)
    return _count_equal(squared.sqrt_(), same)


@torch.no_grad()
def counts_of(distances: Tensor, same: Tensor) -> PairCounts:
    """Count pairs of known distances, such as pairs that are given and not made of labels.

    Args:
        distances: [P] float32 or float64 of any pairs, finite; of similarities, their negatives.
        same: [P] bool, whether a pair is of one class.

    Raises:
        InputError: an argument has a wrong shape, type or value, no pair is of one class, or none
            of two.
    """
    distances, same = as_tensor(distances, "distances"), as_tensor(same, "same")
    if distances.ndim != 1 or distances.dtype not in {torch.float32, torch.float64}:
        raise InputError(
            "distances: expected [P] of float32 or float64, "
            f"got {list(distances.shape)} of {distances.dtype}"
        )
    if same.shape != distances.shape or same.dtype != torch.bool:
        raise InputError(
            f"same: expected [{len(distances)}] of bool, got {list(same.shape)} of {same.dtype}"
        )
    if broken := int((~distances.isfinite()).sum()):
        raise InputError(f"distances: {broken} of {len(distances)} are not finite")
    for wanted, words in ((same, "one class"), (~same, "two classes")):
        if not wanted.any():
            raise InputError(f"same: expected a pair of {words}, got none in {len(same)}")
    return _count_equal(distances, same)


def _count_equal(values: Tensor, same: Tensor) -> PairCounts:
    """Count pairs at each value [P]."""
    values, order = values.sort()
    last = torch.cat([values.diff() > 0, same.new_ones(1)]).nonzero().squeeze(1)
    so_far = same[order].cumsum(0)[last]
    positive = so_far.diff(prepend=so_far.new_zeros(1))
    total = last.diff(prepend=last.new_full((1,), -1))
    return PairCounts(values[last], positive, total - positive)


def _count_rounded(points: Tensor, labels: Tensor) -> PairCounts:
    """Count all pairs of centred points [N, D] by rounded squared distance.

    A float64 >= 0, read as an integer, rises with its value, and its first digits are those of the
    integer; so the integer without its last digits is a bin.
    """
    largest = 4 * points.square().sum(dim=1).max()
    if not largest:  # all items are one point
        sizes = labels.unique(return_counts=True)[1]
        positive = (sizes * (sizes - 1) // 2).sum()[None]
        total = len(labels) * (len(labels) - 1) // 2
        return PairCounts(points.new_zeros(1), positive, total - positive)
    first, end = int(_rounded(largest * _ALIKE)), int(_rounded(largest)) + 1
    bins = end - first
    counts = torch.zeros(2 * bins, dtype=torch.int64, device=points.device)
    waiting: list[Tensor] = []
    for squared, same in squared_pair_distances(points, labels):
        places = _rounded(squared).sub_(first).clamp_(0, bins - 1).to(torch.int32)
        waiting.append(places.add_(same, alpha=bins))
        if sum(map(len, waiting)) >= _COUNTED_AT_ONCE:
            counts += torch.cat(waiting).bincount(minlength=2 * bins)
            waiting.clear()
    if waiting:
        counts += torch.cat(waiting).bincount(minlength=2 * bins)
    different, positive = counts.view(2, bins)
    held = (different + positive).nonzero().squeeze(1)
    squares = (held + first).bitwise_left_shift(_DROPPED).view(torch.float64)
    return PairCounts(squares.sqrt(), positive[held], different[held])


def _rounded(values: Tensor) -> Tensor:
    """Return float64 values >= 0 as integers without their last digits, rounded to the nearest."""
    return values.view(torch.int64).add(2 ** (_DROPPED - 1)).bitwise_right_shift_(_DROPPED)


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


def threshold_figures(counts: PairCounts, threshold: float) -> dict[str, float]:
    """Return the errors of counted pairs at a threshold that was chosen elsewhere.

    Returns:
        `verification.threshold.far`, `.frr`, and their mean `.balanced_error`.
    """
    accepted = counts.distances <= threshold
    far = float(counts.different[accepted].sum() / counts.different.sum())
    frr = 1 - float(counts.same[accepted].sum() / counts.same.sum())
    return {
        "verification.threshold.balanced_error": (far + frr) / 2,
        "verification.threshold.far": far,
        "verification.threshold.frr": frr,
    }


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
    order = labels.argsort(stable=True)
    sizes = labels.unique(return_counts=True)[1].tolist()
    rejected = [
        _rejected(members, threshold) for members in points[order].split(sizes) if len(members) > 1
    ]
    return float(torch.tensor(rejected, dtype=torch.float64).std(correction=0))


def _rejected(members: Tensor, threshold: float) -> float:
    """Return the share of the pairs of members [N, D] that are further apart than the threshold."""
    count = len(members) * (len(members) - 1) // 2
    if len(members) <= _PAIRWISE_MEMBERS:
        return int((torch.pdist(members) > threshold).sum()) / count
    alike = torch.zeros(len(members), dtype=torch.int64, device=members.device)
    parts = squared_pair_distances(members, alike)
    return sum(int((squared > threshold**2).sum()) for squared, _ in parts) / count


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
