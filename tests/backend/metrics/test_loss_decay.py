"""How fast a loss falls, on curves whose answer can be read off."""

import pytest

from backend.metrics.run_statistics import DECAYED, HALVED, Decay, auc, decay


def test_the_first_epoch_that_is_low_enough() -> None:
    means = [0.8, 0.5, 0.2, 0.1, 0.05]
    assert decay(1.0, means, HALVED) == Decay(2)  # at the threshold is low enough
    assert decay(1.0, means, DECAYED) == Decay(4)
    assert decay(10.0, means, DECAYED) == Decay(1)
    assert auc(1.0, means) == pytest.approx(0.33)


def test_a_later_rise_does_not_undo_it() -> None:
    assert decay(2.0, [1.5, 0.9, 1.7], HALVED) == Decay(2)


def test_not_reached_is_more_than_the_epochs_trained() -> None:
    assert decay(1.0, [0.9, 0.6, 0.51], HALVED) == Decay(3, censored=True)
    assert decay(1.0, [1.4], DECAYED) == Decay(1, censored=True)
    assert auc(1.0, [1.4, 1.6]) == pytest.approx(1.5)


def test_an_epoch_without_a_mean_is_passed_over() -> None:
    assert decay(1.0, [None, 0.7, None, 0.4], HALVED) == Decay(4)
    assert decay(1.0, [0.7, None], HALVED) == Decay(2, censored=True)
    assert auc(2.0, [None, 1.0, 3.0]) == 1.0


@pytest.mark.parametrize(
    ("initial", "means"),
    [(None, [0.5]), (0.0, [0.5]), (-1.0, [0.5]), (1.0, []), (1.0, [None, None])],
)
def test_not_defined(initial: float | None, means: list[float | None]) -> None:
    assert decay(initial, means, DECAYED) is None
    assert auc(initial, means) is None
