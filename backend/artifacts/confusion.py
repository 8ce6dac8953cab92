"""Which classes are confused: the mean of the runs of each arm, on one split."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlmodel import Session

from backend.artifacts.blobs import read_confusion
from backend.artifacts.schemas import ArmConfusion, ConfusedPair, ConfusionOut
from backend.db.models import Comparison
from backend.errors import NotFoundError
from backend.runs import artifacts
from backend.runs import repository as runs
from backend.storage.blobs import Blobs
from contract.artifacts import Confusion

FEW_CLASSES: Final = 20
"""Classes up to which every pair is listed, for a matrix."""
MOST_PAIRS: Final = 60
"""Pairs that are listed of an arm where there are more classes."""

Counts = Mapping[tuple[int, int], Sequence[int]]
"""Class and class of the nearest neighbour -> items, of each run that has any."""


def confusion(
    session: Session, blobs: Blobs, comparison: Comparison, seed: int | None = None
) -> ConfusionOut:
    """Return the confusion of every arm.

    Args:
        session: to read with.
        blobs: the store of blobs.
        comparison: the comparison.
        seed: of this seed alone; None for the mean over all seeds, or where each has a split of its
            own, for the first seed.

    Raises:
        NotFoundError: no run has kept a confusion of this seed.
    """
    rows = runs.of_comparison(session, comparison.id)
    kept = artifacts.of_runs(session, [run.id for run in rows], "confusion")
    having = [run for run in rows if (part := kept.get(run.id)) and part["confusion"].digest]
    seeds = list(dict.fromkeys(run.seed for run in having))
    shared = comparison.spec.get("replicate") != "split"
    if seed is not None and seed not in seeds:
        raise NotFoundError(
            f"no run of seed {seed} has kept which classes are confused; those that have are of "
            f"the seeds {', '.join(map(str, seeds)) or 'none'}"
        )
    if seed is None and not shared and seeds:
        seed = seeds[0]
    chosen = [run for run in having if seed in (None, run.seed)]
    read = {run.id: read_confusion(blobs, str(kept[run.id]["confusion"].digest)) for run in chosen}
    # Runs of workers of other versions may have other items: those that most runs have are shown.
    counts = Counter(_items_of(one) for one in read.values())
    items = counts.most_common(1)[0][0] if counts else ((), ())
    chosen = [run for run in chosen if _items_of(read[run.id]) == items]
    arms = [arm["name"] for arm in comparison.spec["arms"]]
    shown = {arm: [(run.seed, read[run.id]) for run in chosen if run.arm == arm] for arm in arms}
    counts_of = {arm: _counts(found for _, found in own) for arm, own in shown.items()}
    listed = _listed_pairs(counts_of.values(), len(items[0]))
    return ConfusionOut(
        shared=shared,
        seeds=seeds,
        classes=list(items[0]),
        items=list(items[1]),
        arms=[_arm(arm, own, counts_of[arm], listed) for arm, own in shown.items() if own],
        lacking=[
            arm
            for arm, own in shown.items()
            if not own and any(run.arm == arm and run.state == "succeeded" for run in rows)
        ],
    )


def _items_of(found: Confusion) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return what two confusions must have in common to be of the same items."""
    return tuple(found.classes), tuple(found.items)


def _counts(of_runs: Iterable[Confusion]) -> Counts:
    """Return the items of each pair of classes, of each run that has any."""
    counts: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for found in of_runs:
        for actual, nearest, items in found.pairs:
            counts[actual, nearest].append(items)
    return counts


def _listed_pairs(of_arms: Iterable[Counts], classes: int) -> set[tuple[int, int]]:
    """Return the pairs that are listed of every arm: all, or of many classes the most frequent of
    each arm."""
    most = None if classes <= FEW_CLASSES else MOST_PAIRS
    return {
        pair
        for counts in of_arms
        for pair in sorted(counts, key=lambda pair: (-sum(counts[pair]), pair))[:most]
    }


def _arm(
    arm: str,
    own: Sequence[tuple[int, Confusion]],
    counts: Counts,
    listed: set[tuple[int, int]],
) -> ArmConfusion:
    of = len(own)
    pairs = [
        ConfusedPair(
            actual=actual,
            nearest=nearest,
            items=sum(seen) / of,
            low=min(seen) if len(seen) == of else 0,
            high=max(seen),
        )
        for (actual, nearest), seen in counts.items()
        if (actual, nearest) in listed
    ]
    wrong = sum(sum(found.items) - sum(found.right) for _, found in own) / of
    return ArmConfusion(
        arm=arm,
        seeds=[seed for seed, _ in own],
        right=[sum(values) / of for values in zip(*(found.right for _, found in own), strict=True)],
        pairs=sorted(pairs, key=lambda pair: (-pair.items, pair.actual, pair.nearest)),
        others=max(0.0, wrong - sum(pair.items for pair in pairs)),
    )
