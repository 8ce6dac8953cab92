"""Draws and proposals: reproducible, within their spaces, and better where TPE can learn."""

import math
import subprocess
import sys
from collections.abc import Callable
from statistics import fmean

import pytest

from backend.tuning.proposals import MAX_DRAWS, Params, Row, importance, propose
from contract.comparison.tuning import Choices, Range, Sampler, Search

SPACE: Search = {
    "loss.margin": Range(low=0.02, high=2.0, log=True),
    "training.optimizer.lr": Range(low=1e-4, high=1e-2, log=True),
    "training.batch_size": Range(low=16, high=64),
    "training.sampler.m": Choices(choices=[2, 4, 8]),
}


def search(
    space: Search,
    objective: Callable[[Params], float | None],
    sampler: Sampler,
    *,
    trials: int = 48,
    seed: int = 0,
    size: int = 8,
) -> list[Row]:
    """Run a search in rounds, as the engine does; an objective of None is a failed trial."""
    rows: list[Row] = []
    for first in range(0, trials, size):
        proposed: list[Params] = []
        for number in range(first, first + size):
            pending = [Row(tuple(params.items()), over=False) for params in proposed]
            params = propose(space, [*rows, *pending], number, seed, sampler)
            assert params is not None
            proposed.append(params)
        rows += [Row(tuple(one.items()), over=True, score=objective(one)) for one in proposed]
    return rows


def test_random_draws_depend_on_space_number_and_seed_alone() -> None:
    drawn = [propose(SPACE, [], number, 3, "random") for number in range(20)]
    rows = [Row((("loss.margin", 1.0),), over=True, score=0.5)]
    assert [propose(SPACE, rows, number, 3, "random") for number in range(20)] == drawn
    assert len({repr(one) for one in drawn}) == 20
    assert propose(SPACE, [], 0, 4, "random") != drawn[0]


def test_arms_that_share_a_setting_draw_the_same_values_of_it() -> None:
    lr = "training.optimizer.lr"
    other: Search = {"loss.temperature": Range(low=0.01, high=1.0, log=True), lr: SPACE[lr]}
    for number in range(10):
        one, two = (propose(space, [], number, 0, "random") for space in (SPACE, other))
        assert one is not None
        assert two is not None
        assert one[lr] == two[lr]


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_proposals_lie_in_their_space(sampler: Sampler) -> None:
    rows = search(SPACE, lambda params: -math.log(float(params["loss.margin"])), sampler)
    for row in rows:
        params = dict(row.params)
        assert params.keys() == SPACE.keys()
        assert 0.02 <= float(params["loss.margin"]) <= 2.0
        assert 1e-4 <= float(params["training.optimizer.lr"]) <= 1e-2
        assert isinstance(params["training.batch_size"], int)
        assert 16 <= params["training.batch_size"] <= 64
        assert params["training.sampler.m"] in {2, 4, 8}
    spread = [float(dict(row.params)["loss.margin"]) for row in rows[:8]]
    assert len(set(spread)) == 8


def test_a_logarithmic_range_has_as_many_draws_in_each_decade() -> None:
    space: Search = {"training.optimizer.lr": Range(low=1e-4, high=1e-1, log=True)}
    drawn = [propose(space, [], number, 0, "random") or {} for number in range(600)]
    decades = [math.floor(math.log10(float(one["training.optimizer.lr"]))) for one in drawn]
    assert all(150 < decades.count(decade) < 250 for decade in (-4, -3, -2))


def test_tpe_proposes_the_same_again_and_learns_nothing_from_eight_trials() -> None:
    def margin_of_a_half(params: Params) -> float:
        return -abs(math.log(float(params["loss.margin"]) / 0.5))

    rows = search(SPACE, margin_of_a_half, "tpe", trials=16)
    assert rows == search(SPACE, margin_of_a_half, "tpe", trials=16)
    assert rows[:8] == search(SPACE, margin_of_a_half, "random", trials=8)
    assert rows[8:] != search(SPACE, margin_of_a_half, "random", trials=16)[8:]


def test_tpe_comes_nearer_to_a_planted_optimum_than_random_draws() -> None:
    def hidden(params: Params) -> float:
        margin = math.log(float(params["loss.margin"]) / 0.3)
        lr = math.log(float(params["training.optimizer.lr"]) / 2e-3)
        return -(margin**2) - lr**2 + (1.0 if params["training.sampler.m"] == 4 else 0.0)

    best: dict[Sampler, list[float]] = {"random": [], "tpe": []}
    for sampler, found in best.items():
        for seed in range(4):
            rows = search(SPACE, hidden, sampler, seed=seed)
            found.append(max(row.score for row in rows if row.score is not None))
    assert fmean(best["tpe"]) > fmean(best["random"])
    assert min(best["tpe"]) > 0.8  # the optimum is 1
    assert min(best["random"]) > 0.3


def test_tpe_avoids_settings_that_failed() -> None:
    space: Search = {"training.optimizer.lr": Range(low=1e-4, high=1.0, log=True)}

    def diverges_above(params: Params) -> float | None:
        lr = float(params["training.optimizer.lr"])
        return None if lr > 1e-2 else 0.5 - abs(math.log10(lr / 1e-3))

    failed = [row.score is None for row in search(space, diverges_above, "tpe")]
    assert sum(failed[:8]) >= 3
    assert sum(failed[16:]) <= 6  # of 32, where random draws have 16


def test_a_default_outside_the_space_is_no_observation() -> None:
    outside = Row(tuple({**_some(), "loss.margin": 9.0}.items()), over=True, score=1.0)
    rows = search(SPACE, lambda params: float(params["loss.margin"]), "tpe", trials=8)
    with_it = propose(SPACE, [outside, *rows[1:]], 8, 0, "tpe")
    assert with_it is not None
    assert float(with_it["loss.margin"]) <= 2.0


def _some() -> Params:
    return {
        "loss.margin": 1.0,
        "training.optimizer.lr": 1e-3,
        "training.batch_size": 32,
        "training.sampler.m": 4,
    }


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_settings_that_do_not_fit_together_are_drawn_anew(sampler: Sampler) -> None:
    def fits(params: Params) -> bool:
        return float(params["loss.margin"]) > 0.5

    rows = [
        Row(tuple({**_some(), "loss.margin": 0.1 + number / 10}.items()), over=True, score=0.1)
        for number in range(9)
    ]
    for number in range(9, 19):
        params = propose(SPACE, rows, number, 0, sampler, fits=fits)
        assert params is not None
        assert fits(params)


def test_a_space_in_which_nothing_fits_gives_nothing() -> None:
    asked: list[Params] = []

    def fits(params: Params) -> bool:
        asked.append(params)
        return False

    assert propose(SPACE, [], 1, 0, "random", fits=fits) is None
    assert len(asked) == MAX_DRAWS
    assert len({repr(one) for one in asked}) == MAX_DRAWS


def test_importance_finds_the_setting_that_matters() -> None:
    rows = search(SPACE, lambda params: -abs(math.log(float(params["loss.margin"]))), "random")
    found = importance(SPACE, rows)
    assert found is not None
    assert sum(found.values()) == pytest.approx(1)
    assert found.keys() == SPACE.keys()
    assert max(found, key=lambda path: found[path]) == "loss.margin"
    assert found["loss.margin"] > 0.6


def test_importance_needs_complete_trials_that_differ() -> None:
    rows = search(SPACE, lambda params: float(params["loss.margin"]), "random", trials=16)
    assert importance(SPACE, rows[:9]) is None
    assert importance(SPACE, [Row(row.params, over=True) for row in rows]) is None
    assert importance(SPACE, [Row(row.params, over=True, score=0.5) for row in rows]) is None
    assert importance(SPACE, rows[:10]) is not None


def test_another_process_proposes_the_same_and_says_nothing_else() -> None:
    program = (
        "from tests.backend.tuning.test_proposals import proposed_and_important as told;"
        "print(told())"
    )
    command = [sys.executable, "-W", "error", "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (ended.stdout.strip(), ended.stderr) == (repr(proposed_and_important()), "")


def proposed_and_important() -> tuple[object, ...]:
    """Return what both samplers propose after twelve trials, and the importance."""
    margins = (("loss.margin", 0.1 + n / 10) for n in range(12))
    rows = [
        Row(tuple(({**_some(), path: value}).items()), over=True, score=n % 7 / 7)
        for n, (path, value) in enumerate(margins)
    ]
    proposed = [propose(SPACE, rows, 12, 0, sampler) for sampler in ("random", "tpe")]
    return *proposed, importance(SPACE, rows)
