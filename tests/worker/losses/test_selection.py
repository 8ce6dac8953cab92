"""Selections of tuples against their definitions, written as loops."""

import pytest
import torch
from torch import Tensor

from tests.support.loss_agreement import assert_agrees, compute_loss, gradients
from tests.support.reference_losses import LossBatch
from worker.losses.batch import Batch
from worker.losses.selection import select_pairs, select_triplets

SELECTIONS = ("sampled", "semi_hard", "batch_hard", "distance_weighted")
DRAWN = ("sampled", "distance_weighted")
DISTANCES = ("euclidean", "cosine")
LABELS = {
    "three classes": [0, 1, 2, 0, 1, 2, 0, 1, 0, 2, 1, 0],
    "a class of one": [0, 0, 1, 2, 2, 2],
    "one class": [4, 4, 4, 4],
    "all different": [0, 1, 2, 3],
    "two of one class": [5, 5],
    "two of two classes": [5, 6],
    "one item": [0],
}
OTHER_LABELS = {
    "more others": ([0, 1, 0, 2], [1, 0, 2, 1, 0, 0, 3]),
    "nothing in common": ([0, 1], [2, 3, 3]),
    "one class": ([4, 4], [4, 4, 4]),
}
SCENES = [*LABELS, *(f"between: {name}" for name in OTHER_LABELS)]


def scene_of(name: str, distance: str) -> LossBatch:
    generator = torch.Generator().manual_seed(len(name))

    def points(number: int) -> Tensor:
        return 0.5 * torch.randn(number, 4, generator=generator, dtype=torch.float64)

    if name in LABELS:
        labels = torch.tensor(LABELS[name])
        return LossBatch(points(len(labels)), labels, distance=distance)
    labels, others = map(torch.tensor, OTHER_LABELS[name.removeprefix("between: ")])
    return LossBatch(points(len(labels)), labels, points(len(others)), others, distance)


def batch_of(scene: LossBatch) -> Batch:
    if scene.others is None or scene.other_labels is None:
        points, labels = scene.embeddings, scene.labels
        return Batch(points, labels, points, labels, against_itself=True)
    return Batch(
        scene.embeddings, scene.labels, scene.others, scene.other_labels, against_itself=False
    )


def members(scene: LossBatch, a: int) -> tuple[list[int], list[int]]:
    """Positives and negatives of an anchor."""
    labels, others = scene.labels_at()
    positives = [j for j, k in enumerate(others) if k == labels[a] and not (scene.alone and j == a)]
    return positives, [j for j, k in enumerate(others) if k != labels[a]]


def once(scene: LossBatch, found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Pairs without repetition; (i, j) and (j, i) are one pair in a batch compared with itself."""
    return sorted({(min(pair), max(pair)) if scene.alone else pair for pair in found})


def triplets_expected(
    selection: str, scene: LossBatch, margin: float
) -> list[tuple[int, int, int]]:
    if selection == "semi_hard":
        return [
            (a, p, n)
            for a, p, n in scene.triplets()
            if scene.squared(a, p) < scene.squared(a, n) < scene.squared(a, p) + margin
        ]
    found = []
    for a in range(len(scene.labels)):
        positives, negatives = members(scene, a)
        if positives and negatives:
            farthest = max(positives, key=lambda p: float(scene.squared(a, p)))
            nearest = min(negatives, key=lambda n: float(scene.squared(a, n)))
            found.append((a, farthest, nearest))
    return found


def pairs_expected(selection: str, scene: LossBatch, margin: float) -> list[tuple[int, int]]:
    found = []
    for a in range(len(scene.labels)):
        positives, negatives = members(scene, a)
        if selection == "semi_hard":
            found += [(a, p) for p in positives]
            for n in negatives:
                far = scene.root(a, n)
                if any(scene.root(a, p) < far < scene.root(a, p) + margin for p in positives):
                    found.append((a, n))
        else:
            if positives:
                found.append((a, max(positives, key=lambda p: float(scene.root(a, p)))))
            if negatives:
                found.append((a, min(negatives, key=lambda n: float(scene.root(a, n)))))
    return once(scene, found)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("selection", ["semi_hard", "batch_hard"])
def test_deterministic_selections_agree_with_the_loop(
    selection: str, name: str, distance: str
) -> None:
    scene = scene_of(name, distance)
    for margin in (0.0, 0.3, 1.0):
        three = triplets_expected(selection, scene, margin)
        two = pairs_expected(selection, scene, margin)
        exact = {"margin": margin, "tolerance": 1e-11, "selection": selection}
        assert_agrees("triplet", scene, chosen=three, **exact)  # type: ignore[arg-type]
        assert_agrees("contrastive", scene, chosen=two, **exact)  # type: ignore[arg-type]
        if margin:
            exact |= {"hinge": "linear", "positive_margin": 0.5 * margin, "pull_weight": 0.2}
            assert_agrees("contrastive", scene, chosen=two, **exact)  # type: ignore[arg-type]


@pytest.mark.parametrize("between", [False, True])
@pytest.mark.parametrize("selection", ["semi_hard", "batch_hard"])
def test_ties_go_to_the_lowest_index(selection: str, between: bool) -> None:
    """Integer points in two dimensions have many ties and duplicates; there are 16 of them, so that
    the mean, and with it every distance, is exact."""
    generator = torch.Generator().manual_seed(0)
    points = torch.randint(-1, 2, (16, 2), generator=generator).double()
    labels = torch.arange(16) % 3
    scene = LossBatch(points, labels)
    if between:
        scene = LossBatch(points[:8], labels[:8], points[8:], labels[8:])
    for margin in (0.0, 1.0, 2.0):
        three = triplets_expected(selection, scene, margin)
        two = pairs_expected(selection, scene, margin)
        exact = {"margin": margin, "tolerance": 1e-11, "selection": selection}
        assert_agrees("triplet", scene, chosen=three, **exact)  # type: ignore[arg-type]
        assert_agrees("contrastive", scene, chosen=two, **exact)  # type: ignore[arg-type]


def draw_all_triplets(selection: str, scene: LossBatch, seed: int) -> list[tuple[int, int, int]]:
    generator = torch.Generator().manual_seed(seed)
    found = select_triplets(
        selection,  # type: ignore[arg-type]
        batch_of(scene),
        torch.zeros(len(scene.labels), len(scene.labels_at()[1])),
        generator,
    )
    return [(a, p, n) for a, p, n in found.T.tolist()]


def draw_all_pairs(selection: str, scene: LossBatch, seed: int) -> list[tuple[int, int]]:
    generator = torch.Generator().manual_seed(seed)
    found = select_pairs(
        selection,  # type: ignore[arg-type]
        batch_of(scene),
        torch.zeros(len(scene.labels), len(scene.labels_at()[1])),
        1.0,
        generator,
    )
    if scene.alone:
        assert torch.equal(found, found.T)
        assert not found.diagonal().any()
    return once(scene, [(i, j) for i, j in found.nonzero().tolist()])


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("selection", DRAWN)
def test_the_value_is_that_of_the_drawn_tuples(selection: str, name: str, distance: str) -> None:
    scene = scene_of(name, distance)
    for seed in range(2):
        settings = {"margin": 1.0, "tolerance": 1e-11, "selection": selection, "seed": seed}
        three = draw_all_triplets(selection, scene, seed)
        assert_agrees("triplet", scene, chosen=three, **settings)  # type: ignore[arg-type]
        two = draw_all_pairs(selection, scene, seed)
        assert_agrees("contrastive", scene, chosen=two, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("selection", DRAWN)
def test_drawn_tuples_are_valid_and_of_the_defined_number(selection: str, name: str) -> None:
    scene = scene_of(name, "euclidean")
    valid, labels, others = set(scene.triplets()), *scene.labels_at()
    three, two = draw_all_triplets(selection, scene, 5), draw_all_pairs(selection, scene, 5)
    assert set(three) <= valid
    if selection == "sampled":
        assert [a for a, *_ in three] == sorted({a for a, *_ in valid})
    else:
        assert [(a, p) for a, p, _ in three] == sorted({(a, p) for a, p, _ in valid})
    everything = set(scene.pairs())
    positives = {(i, j) for i, j in everything if labels[i] == others[j]}
    negatives = everything - positives
    assert positives <= set(two) <= everything
    picked = set(two) - positives
    if selection == "sampled":
        assert len(picked) == min(len(positives), len(negatives))
        return
    for a in range(len(labels)):
        close, far = members(scene, a)
        seen = sum(a in pair if scene.alone else a == pair[0] for pair in picked)
        least = min(len(close), len(far))
        assert seen >= least if scene.alone else seen == least


@pytest.mark.parametrize("selection", DRAWN)
@pytest.mark.parametrize("kind", ["contrastive", "triplet"])
def test_the_generator_decides_the_drawn_tuples(kind: str, selection: str) -> None:
    scene = scene_of("three classes", "euclidean")
    values = [
        float(
            compute_loss(
                kind, scene, selection=selection, generator=torch.Generator().manual_seed(seed)
            ).value
        )
        for seed in (1, 2, 1)
    ]
    assert values[0] == values[2] != values[1]
    torch.manual_seed(1)  # without a generator, torch's global one decides
    assert float(compute_loss(kind, scene, selection=selection).value) == values[0]


@pytest.mark.cuda
@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("selection", ["all", *SELECTIONS])
@pytest.mark.parametrize("kind", ["contrastive", "triplet"])
def test_cuda_agrees_with_the_cpu(kind: str, selection: str, distance: str, classes: int) -> None:
    torch.manual_seed(0)
    scene = LossBatch(
        torch.randn(160, 16, dtype=torch.float64, requires_grad=True),
        torch.arange(160) % classes,
        torch.randn(90, 16, dtype=torch.float64, requires_grad=True),
        torch.arange(90) % classes,
        distance,
    )
    assert scene.others is not None
    assert scene.other_labels is not None
    there = LossBatch(
        scene.embeddings.detach().cuda().requires_grad_(),
        scene.labels.cuda(),
        scene.others.detach().cuda().requires_grad_(),
        scene.other_labels.cuda(),
        distance,
    )
    for near, far in ((scene, there), (_alone(scene), _alone(there))):
        ours, theirs = (
            compute_loss(kind, one, selection=selection, generator=torch.Generator().manual_seed(0))
            for one in (near, far)
        )
        torch.testing.assert_close(theirs.value.cpu(), ours.value)
        assert int(theirs.active) == int(ours.active)
        for seen, right in zip(
            gradients(theirs.value, far), gradients(ours.value, near), strict=True
        ):
            torch.testing.assert_close(seen.cpu(), right)


def _alone(scene: LossBatch) -> LossBatch:
    return LossBatch(scene.embeddings, scene.labels, distance=scene.distance)
