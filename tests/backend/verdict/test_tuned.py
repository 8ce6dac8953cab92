"""What a verdict says of the search that gave the arms their settings."""

from typing import Any

import pytest

from backend.comparisons.trained import with_best
from backend.db.models import Run, Trial
from backend.verdict.caveats import Facts, caveats
from backend.verdict.schemas import Pair
from backend.verdict.tuned import edge_caveats, range_caveats, searched, tuned_out
from contract.comparison.spec import ComparisonSpec, parse_spec
from contract.comparison.tuning import Tuning
from tests.support.specs import small
from tests.support.tuned import tuned

MARGIN = {"low": 0.1, "high": 2.0}
WIDE = {"low": 0.02, "high": 2.0, "log": True}
RATE = {"low": 1e-4, "high": 1e-2, "log": True}


def spec_of(
    pull: dict[str, Any], rank: dict[str, Any], best: dict[str, dict[str, Any]] | None = None
) -> ComparisonSpec:
    """Return a tuned spec of two folds with these spaces; with the best settings of its arms put
    in, and with epochs that differ, as those of the folds do."""
    arms = [
        {"name": "pull", "loss": {"kind": "contrastive"}, "search": pull},
        {"name": "rank", "loss": {"kind": "triplet"}, "search": rank},
    ]
    spec = parse_spec(tuned(24, arms=arms))
    trials = {
        arm: Trial(
            id=arm,
            comparison_id="c",
            arm=arm,
            number=1,
            params=params,
            epochs=5 + place,
            created_at=0.0,
        )
        for place, (arm, params) in enumerate((best or {}).items())
    }
    return with_best(spec, trials)


def test_the_budget_that_every_arm_had() -> None:
    found = tuned_out(parse_spec(tuned(24)))
    assert found is not None
    assert found.model_dump() == {
        "trials": 24,
        "objective": "retrieval.map_at_r",
        "sampler": "random",
        "folds": 2,
    }
    assert tuned_out(parse_spec(small())) is None


def test_ranges_that_two_arms_do_not_share_are_named() -> None:
    same = spec_of({"loss.margin": MARGIN}, {"loss.margin": MARGIN})
    assert range_caveats(same, ["pull", "rank"]) == []
    other = spec_of(
        {"loss.margin": MARGIN, "training.optimizer.lr": RATE, "loss.positive_margin": MARGIN},
        {"loss.margin": WIDE, "training.batch_size": {"choices": [32, 64]}},
    )
    assert range_caveats(other, ["pull", "rank"]) == [
        "The arms were searched over different ranges: "
        "margin (pull: 0.1 to 2; rank: 0.02 to 2 (log)); "
        "batch size (pull: not searched; rank: 32, 64); "
        "learning rate (pull: 0.0001 to 0.01 (log); rank: not searched)."
    ]
    assert searched(other, ["rank"]) == {"loss.margin", "training.batch_size", "training.epochs"}
    one_fold = other.model_copy(update={"tuning": Tuning(folds=1)})
    assert searched(one_fold, ["rank"]) == {"loss.margin", "training.batch_size"}


def test_a_margin_that_is_an_angle_is_no_shared_setting() -> None:
    arms = [
        {"name": "angle", "loss": {"kind": "arcface"}, "search": {"loss.margin": MARGIN}},
        {"name": "rank", "loss": {"kind": "triplet"}, "search": {"loss.margin": WIDE}},
    ]
    arms[0]["search"] = {"loss.margin": {"low": 0.1, "high": 0.8}}
    assert range_caveats(parse_spec(tuned(arms=arms)), ["angle", "rank"]) == []


@pytest.mark.parametrize(
    ("space", "value", "said"),
    [
        (MARGIN, 1.98, "1.98 is at the edge of 0.1 to 2"),
        (MARGIN, 0.12, "0.12 is at the edge of 0.1 to 2"),
        (MARGIN, 1.9, ""),
        (MARGIN, 0.2, ""),
        (WIDE, 1.8, "1.8 is at the edge of 0.02 to 2 (log)"),
        (WIDE, 0.0224, "0.0224 is at the edge of 0.02 to 2 (log)"),
        (WIDE, 1.5, ""),
        ({"low": 0.0, "high": 2.0}, 0.01, ""),  # no margin is below 0
        ({"low": 0.5, "high": 1000.0}, 999.0, ""),  # nor above 1000
        ({"choices": [0.5, 1.0]}, 1.0, ""),
    ],
)
def test_a_best_setting_at_the_edge_of_its_range(
    space: dict[str, Any], value: float, said: str
) -> None:
    spec = spec_of({"loss.margin": space}, {"loss.margin": space}, {"pull": {"loss.margin": value}})
    found = edge_caveats(spec, ["pull"])
    expected = f"The search of pull may be too narrow: its best margin {said}; widen it."
    assert found == ([expected] if said else [])


def test_whole_numbers_and_several_edges() -> None:
    sampler = {"kind": "m_per_class", "m": 4}
    space = {"training.sampler.m": {"low": 2, "high": 8}, "training.optimizer.lr": RATE}
    arms = [
        {
            "name": "pull",
            "loss": {"kind": "contrastive"},
            "training": {"sampler": sampler, "batch_size": 16},
            "search": space,
        }
    ]
    spec = parse_spec(tuned(arms=arms))
    for best, said in (
        ({"training.sampler.m": 8, "training.optimizer.lr": 0.0099}, True),
        ({"training.sampler.m": 2, "training.optimizer.lr": 0.001}, False),  # 1 is no m
    ):
        trial = Trial(
            id="t", comparison_id="c", arm="pull", number=1, params=best, epochs=5, created_at=0.0
        )
        assert edge_caveats(with_best(spec, {"pull": trial}), ["pull"]) == (
            [
                "The search of pull may be too narrow: its best items a class (m) 8 is at the "
                "edge of 2 to 8 and its best learning rate 0.0099 is at the edge of "
                "0.0001 to 0.01 (log); widen them."
            ]
            if said
            else []
        )


def test_what_was_searched_is_no_given_difference() -> None:
    """Settings that the search has chosen are named with their ranges, the others as ever."""
    space = {"loss.margin": MARGIN, "training.optimizer.lr": RATE}
    best = {
        "pull": {"loss.margin": 0.5, "training.optimizer.lr": 0.005},
        "rank": {"loss.margin": 1.0, "training.optimizer.lr": 0.001},
    }
    spec = spec_of(space, space, best)
    runs = [
        Run(id=arm, comparison_id="c", position=0, arm=arm, seed=0, created_at=0.0)
        for arm in ("pull", "rank")
    ]
    for run in runs:
        run.state = "succeeded"
    found = caveats(Facts(spec, Pair(a="pull", b="rank"), runs, 12, 9, {}, []))
    assert found == [
        "Each arm has the settings of the best of 24 trials by MAP@R on validation data, mean over "
        "2 folds: with more trials, or over other ranges, a verdict may turn out otherwise."
    ]
    only_one = spec_of({}, space, {**best, "pull": {}})
    assert [
        sentence.split(":")[0]
        for sentence in caveats(Facts(only_one, Pair(a="pull", b="rank"), runs, 12, 9, {}, []))
    ] == [
        "The arms were searched over different ranges",
        "Each arm has the settings of the best of 24 trials by MAP@R on validation data, mean over "
        "2 folds",
    ]
