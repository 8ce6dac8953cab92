"""Projections: aligned, repeatable, and finite for poor snapshots too."""

import io

import numpy as np
import pytest

from worker.projection.layouts import align, project
from worker.projection.methods import MODULES

METHODS = ("pca", "tsne", "pacmap")


def classes(n: int = 120, dim: int = 16, seed: int = 0) -> np.ndarray:
    """Three classes, and axes of clearly different spread."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((3, dim)) * 3
    return centres[np.arange(n) % 3] + rng.standard_normal((n, dim)) * np.linspace(1.5, 0.1, dim)


def rotation(dim: int, seed: int = 1) -> np.ndarray:
    """A random orthogonal matrix, with a reflection."""
    turned = np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, dim)))[0]
    turned[:, 0] *= -np.sign(np.linalg.det(turned))
    return turned


@pytest.mark.parametrize("dims", [2, 3])
def test_arms_that_are_rotations_of_each_other_align(dims: int) -> None:
    points = classes()
    found = project([[points], [points @ rotation(16) + 5]], method="pca", dims=dims, seed=0)
    assert np.abs(found[0] - found[1]).max() < 1e-6
    assert found[0].std() > 0.5, "they must not agree because all points coincide"


def test_alignment_turns_and_mirrors_but_does_not_scale() -> None:
    points = classes(dim=2)
    turned = align(points @ rotation(2) * 3 + 7, points)
    assert np.allclose(turned, (points - points.mean(axis=0)) * 3)


def test_a_wider_arm_is_shown_wider() -> None:
    points = classes()
    found = project([[points], [points * 2]], method="pca", dims=2, seed=0)
    assert np.allclose(found[1], found[0] * 2, atol=1e-5)


def test_epochs_follow_one_another_without_a_flip() -> None:
    points = classes()
    epochs = [points, points @ rotation(16), points @ rotation(16, seed=2)]
    found = project([epochs], method="pca", dims=2, seed=0)[0]
    assert np.abs(found[0] - found[2]).max() < 1e-6


@pytest.mark.parametrize("dims", [2, pytest.param(3, marks=pytest.mark.slow)])
@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_projection(method: str, dims: int) -> None:
    epochs = [classes(), classes() * 1.1]
    one, two = (project([epochs], method=method, dims=dims, seed=4) for _ in range(2))
    assert one.shape == (1, 2, 120, dims)
    assert one.dtype == np.float32
    assert np.array_equal(one, two)


@pytest.mark.parametrize("method", ["tsne", "pacmap"])
def test_neighbours_stay_neighbours(method: str) -> None:
    points = classes()
    found = project([[points]], method=method, dims=2, seed=0)[0, 0]
    away = np.linalg.norm(found[:, None] - found[None], axis=2)
    np.fill_diagonal(away, np.inf)
    assert (away.argmin(axis=1) % 3 == np.arange(120) % 3).mean() > 0.95


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "points",
    [np.zeros((30, 4)), np.ones((2, 4)), classes(n=9), classes(n=5), classes(dim=1)],
    ids=["all equal", "two samples", "nine samples", "five samples", "one axis"],
)
def test_poor_snapshots_give_finite_coordinates(method: str, points: np.ndarray) -> None:
    found = project([[points, points]], method=method, dims=3, seed=0)
    assert found.shape == (1, 2, len(points), 3)
    assert np.isfinite(found).all()


def test_progress_rises_to_one_and_may_stop_the_computation() -> None:
    reported: list[float] = []
    project([[classes(), classes()]], method="tsne", dims=2, seed=0, on_progress=reported.append)
    assert reported == sorted(reported)
    assert reported[-1] == pytest.approx(1.0)
    assert len(reported) > 10

    def enough(share: float) -> None:
        if share > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        project([[classes(), classes()]], method="tsne", dims=2, seed=0, on_progress=enough)


def test_the_methods_are_the_promised_ones() -> None:
    assert tuple(MODULES) == METHODS


def test_coordinates_travel_as_little_endian_floats() -> None:
    found = project([[classes(n=10)]], method="pca", dims=2, seed=0)
    back = np.frombuffer(io.BytesIO(found.astype("<f4").tobytes()).read(), dtype="<f4")
    assert np.array_equal(back.reshape(1, 1, 10, 2), found)
