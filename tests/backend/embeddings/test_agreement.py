"""Neighbours kept and linear CKA against their definitions, term by term."""

from itertools import permutations

import numpy as np
import pytest

from backend.embeddings.agreement import MOST_SAMPLES, by_class, linear_cka, neighbours_kept


def drawn(n: int = 7, d: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


def test_the_share_of_neighbours_kept_and_of_each_class() -> None:
    kept = neighbours_kept([[1, 2], [0, 2], [0, 1]], [[2, 1], [0, 3], [3, 4]])
    assert kept.tolist() == [1, 0.5, 0]
    found = by_class(kept, np.array([5, 5, 2]))
    assert [(one.label, one.n, one.kept) for one in found] == [(2, 1, 0), (5, 2, 0.75)]


def test_the_biased_cka_is_that_of_kornblith_et_al() -> None:
    a, b = drawn(), drawn(d=3, seed=1)
    centre = np.eye(7) - 1 / 7
    k, l = centre @ a @ a.T @ centre, centre @ b @ b.T @ centre  # noqa: E741
    expected = np.trace(k @ l) / np.sqrt(np.trace(k @ k) * np.trace(l @ l))
    assert linear_cka(a, b).biased == pytest.approx(expected)


def unbiased_hsic(k: np.ndarray, other: np.ndarray) -> float:
    """HSIC as a mean over all tuples of different samples (Song et al. 2012)."""
    n = len(k)
    pairs = np.mean([k[i, j] * other[i, j] for i, j in permutations(range(n), 2)])
    three = np.mean([k[i, j] * other[i, q] for i, j, q in permutations(range(n), 3)])
    four = np.mean([k[i, j] * other[q, r] for i, j, q, r in permutations(range(n), 4)])
    return float(pairs + four - 2 * three)


def test_the_debiased_cka_has_means_over_different_samples_only() -> None:
    a, b = drawn(), drawn(d=3, seed=1)
    k, other = a @ a.T, b @ b.T
    expected = unbiased_hsic(k, other) / np.sqrt(unbiased_hsic(k, k) * unbiased_hsic(other, other))
    assert linear_cka(a, b).debiased == pytest.approx(expected)


def test_what_cka_does_not_see_and_what_it_sees() -> None:
    a = drawn(60, 5)
    turned = np.linalg.qr(drawn(5, 5, seed=2))[0]
    same = linear_cka(a, 3 * a @ turned + 7)
    assert same.debiased == pytest.approx(1)
    assert same.biased == pytest.approx(1)
    other = linear_cka(drawn(60, 200), drawn(60, 200, seed=3))
    assert other.biased is not None
    assert other.biased > 0.5, "many dimensions for few samples look alike"
    assert other.debiased == pytest.approx(0, abs=0.1)


def test_where_it_is_not_defined_and_of_how_many_samples_it_is() -> None:
    assert linear_cka(np.ones((9, 2)), drawn(9)) == (9, None, None)
    few = linear_cka(drawn(3), drawn(3, seed=1))
    assert few.debiased is None
    assert few.biased is not None
    many = linear_cka(drawn(MOST_SAMPLES + 1, 2), drawn(MOST_SAMPLES + 1, 2))
    assert many.among == MOST_SAMPLES
