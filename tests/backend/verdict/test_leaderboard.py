"""The leaderboard over HTTP, from stored points."""

from statistics import fmean
from typing import Any

import pytest
from sqlmodel import col, select

from backend.db.models import Run
from backend.state import Parts
from contract.metrics import METRICS
from contract.statistics import told_apart
from tests.backend.helpers import Api, Json
from tests.backend.scripted_runs import Curves, scripted_comparison

MAP = "test.retrieval.map_at_r"
RECALL = "test.retrieval.recall_at_1"
KNN = "test.classification.knn_accuracy_5"
DETAIL = "test.detail.recall_at_1"
SEEDS = [0, 1, 2, 3, 4, 5]
JITTER = (0.0, 0.004, -0.003, 0.002, -0.001, 0.003)
LEVELS = {"a": 0.80, "b": 0.79, "c": 0.60, "d": 0.595}
"""Mean by arm: a and b differ by less than their differences vary, c and d too."""


def arms(names: str = "abcd") -> list[Json]:
    return [{"name": name, "loss": {"kind": "triplet"}} for name in names]


def value(arm: str, seed: int) -> float:
    noise = 0.03 * (-1) ** seed if arm in "bd" else 0.0
    return LEVELS[arm] + JITTER[(seed + "abcd".index(arm)) % 6] + noise


def curves(arm: str, seed: int) -> Curves:
    return {
        MAP: {50: value(arm, seed)},
        RECALL: {50: value(arm, seed) + 0.1},
        "retrieval.map_at_r": {0: 0.2, 50: 0.5},
        f"backbone.{MAP}": {0: 0.4},
        f"chance.{MAP}": {0: 0.1},
    }


def board(api: Api, comparison: str, **query: Any) -> Json:
    return api.get(f"/comparisons/{comparison}/leaderboard", **query)


@pytest.mark.both_databases
def test_a_whole_leaderboard(api: Api, parts: Parts) -> None:
    found = board(api, scripted_comparison(parts.database, curves, arms=arms(), seeds=SEEDS))
    assert found["advice"] == (
        "For retrieval use a or b (no clear difference between them; ahead of c and d). "
        "Caution: margins were not tuned."
    )
    assert (found["replicate"], found["runs_open"]) == ("seed", 0)
    assert (found["runs_finished"], found["runs_total"]) == (24, 24)
    assert [one["key"] for one in found["metrics"]] == [MAP, RECALL]
    metric = found["metrics"][0]
    assert (metric["label"], metric["better"]) == (METRICS[MAP].label, "higher")
    assert metric["best"] == ["a"]
    assert metric["not_told_apart"] == [["a", "b"], ["c", "d"]]
    assert metric["groups"] == [["a", "b"], ["c", "d"]]
    assert metric["said"] == "Best: a; no clear difference to b."
    assert (metric["pairs"], metric["practical"]) == (6, 0.01)
    assert metric["untrained"] == pytest.approx(0.2)
    assert metric["raw_backbone"] == pytest.approx(0.4)
    assert metric["chance"] == pytest.approx(0.1)
    assert [arm["arm"] for arm in metric["arms"]] == list("abcd")
    assert [arm["rank"] for arm in metric["arms"]] == [[1, 2], [1, 2], [3, 4], [3, 4]]
    values = {arm: {seed: value(arm, seed) for seed in SEEDS} for arm in "abcd"}
    expected = told_apart(values, bounds=(0, 1))
    c = metric["arms"][2]
    assert c["mean"] == pytest.approx(fmean(values["c"].values()))
    assert [c["low"], c["high"]] == pytest.approx(expected.arms["c"].interval)
    assert c["values"] == [{"seed": s, "value": pytest.approx(value("c", s))} for s in SEEDS]
    [pair] = [pair for pair in expected.pairs if (pair.a, pair.b) == ("a", "c")]
    assert pair.interval
    behind = c["to_best"]
    assert behind["mean_difference"] == pytest.approx(-pair.mean_difference)
    assert [behind["low"], behind["high"]] == pytest.approx([-end for end in pair.interval[::-1]])
    assert (behind["told_apart"], behind["level"], behind["n"]) == (True, False, 6)
    assert metric["arms"][0]["to_best"] is None


def test_pairs_are_formed_by_seed_where_some_are_missing(api: Api, parts: Parts) -> None:
    lost = {("c", 0): "failed", ("c", 1): "failed", ("d", 5): "cancelled", ("d", 4): "failed"}
    comparison = scripted_comparison(parts.database, curves, arms=arms(), seeds=SEEDS, states=lost)
    metric = board(api, comparison)["metrics"][0]
    assert [arm["n"] for arm in metric["arms"]] == [6, 6, 4, 4]
    c, d = metric["arms"][2:]
    assert [one["seed"] for one in c["values"]] == [2, 3, 4, 5]
    assert (c["to_best"]["n"], d["to_best"]["n"]) == (4, 4)
    assert metric["groups"] == [["a", "b"], ["c", "d"]]
    assert metric["pairs"] == 5  # c and d share two seeds


def test_too_few_seeds_tell_nothing_apart(api: Api, parts: Parts) -> None:
    found = board(api, scripted_comparison(parts.database, curves, arms=arms(), seeds=[0, 1]))
    metric = found["metrics"][0]
    assert metric["pairs"] == 0
    assert metric["said"] == "a has the best mean; too few runs to compare arms."
    assert metric["groups"] == [list("abcd")]
    for arm in metric["arms"]:
        assert (arm["n"], arm["low"], arm["high"], arm["rank"]) == (2, None, None, [1, 4])
        assert arm["to_best"] is None or arm["to_best"]["low"] is None
    assert found["advice"] == (
        "For retrieval there is no clear difference. Caution: only 2 seeds and "
        "margins were not tuned."
    )


@pytest.mark.parametrize(
    ("names", "best", "advice"),
    [
        (
            "ac",
            "Best: a; clear difference to c.",
            "For retrieval neither arm is ahead in all metrics.",
        ),
        (
            "abc",
            "Best: a; no clear difference to b.",
            "For retrieval no arm is ahead of another in all metrics.",
        ),
    ],
)
def test_arms_that_one_metric_tells_apart_and_another_does_not(
    api: Api, parts: Parts, names: str, best: str, advice: str
) -> None:
    def only_map(arm: str, seed: int) -> Curves:
        return {MAP: {50: value(arm, seed)}, RECALL: {50: 0.9 + JITTER[seed]}}

    comparison = scripted_comparison(parts.database, only_map, arms=arms(names), seeds=SEEDS)
    found = board(api, comparison)
    assert found["metrics"][0]["said"] == best
    assert found["advice"].partition(" Caution")[0] == advice


def test_replicates_are_called_by_their_noun(api: Api, parts: Parts) -> None:
    made = scripted_comparison(
        parts.database,
        curves,
        arms=arms(),
        seeds=[0, 1],
        replicate="split",
        data={"kind": "synthetic"},
    )
    found = board(api, made)
    assert (found["replicate"], found["replicate_noun"]) == ("split", "draw")
    assert "Caution: only 2 draws" in found["advice"]


def test_runs_that_go_on_are_counted_and_their_values_left_out(api: Api, parts: Parts) -> None:
    going = {("b", 5): "running", ("c", 5): "running"}
    comparison = scripted_comparison(parts.database, curves, arms=arms(), seeds=SEEDS, states=going)
    found = board(api, comparison)
    assert (found["runs_finished"], found["runs_total"], found["runs_open"]) == (22, 24, 2)
    assert [arm["n"] for arm in found["metrics"][0]["arms"]] == [6, 5, 5, 6]
    assert "Caution: 2 runs have not finished" in found["advice"]


def set_states(parts: Parts, comparison: str, arm: str, state: str, seeds: range) -> None:
    with parts.database.write() as write:
        query = select(Run).where(Run.comparison_id == comparison, Run.arm == arm)
        for run in write.session.exec(query.where(col(Run.seed).in_(seeds))):
            run.states = [{"state": state, "step": 10, "message": "m"}]
            write.session.add(run)


@pytest.mark.both_databases
def test_an_arm_that_did_not_train_has_its_state_in_the_place_of_a_rank(
    api: Api, parts: Parts
) -> None:
    comparison = scripted_comparison(parts.database, curves, arms=arms(), seeds=SEEDS)
    set_states(parts, comparison, "a", "collapsed", range(4))
    set_states(parts, comparison, "b", "collapsed", range(3))  # half of its runs: it counts
    set_states(parts, comparison, "c", "below_untrained", range(6))  # it trained, if badly
    found = board(api, comparison)
    metric = found["metrics"][0]
    a, b, c, d = metric["arms"]
    assert (a["state"], a["rank"], a["to_best"], a["low"]) == ("collapsed", None, None, None)
    assert a["n"] == 6
    assert a["mean"] == pytest.approx(fmean(value("a", seed) for seed in SEEDS))
    assert (b["state"], b["rank"], metric["best"]) == ("", [1, 1], ["b"])
    assert (c["state"], c["rank"], d["rank"]) == ("", [2, 3], [2, 3])
    assert metric["pairs"] == 3
    assert found["advice"] == (
        "For retrieval use b (ahead of c and d). a did not train (collapsed to a space without "
        "differences). Caution: margins were not tuned."
    )


@pytest.mark.parametrize(
    ("names", "advice"),
    [
        ("a", ""),
        ("ab", "For retrieval there is no clear difference."),
        ("ac", "Use a for retrieval."),
        ("abc", "For retrieval use a or b (no clear difference between them; ahead of c)."),
    ],
)
def test_advice_for_one_two_and_three_arms(api: Api, parts: Parts, names: str, advice: str) -> None:
    comparison = scripted_comparison(parts.database, curves, arms=arms(names), seeds=SEEDS)
    found = board(api, comparison)
    assert found["advice"].partition(" Caution")[0] == advice
    assert [arm["arm"] for arm in found["metrics"][0]["arms"]] == list(names)


def test_two_arms_that_differ_by_less_than_matters_are_level(api: Api, parts: Parts) -> None:
    def level(arm: str, seed: int) -> Curves:
        own = 0.8 + 0.001 * (arm == "a") + 0.001 * JITTER[(seed + "ab".index(arm)) % 6]
        return {MAP: {50: own}, RECALL: {50: own}}

    comparison = scripted_comparison(parts.database, level, arms=arms("ab"), seeds=SEEDS)
    found = board(api, comparison)
    assert found["advice"].startswith("For retrieval a and b are level within 0.01.")
    assert found["metrics"][0]["arms"][1]["to_best"]["level"]
    assert found["metrics"][0]["said"].endswith(
        " b is level with it: the difference is too small to matter."
    )


def test_a_bound_of_a_ratio_makes_no_difference_level(api: Api, parts: Parts) -> None:
    key = "test.geometry.variance_ratio"
    comparison = scripted_comparison(
        parts.database,
        lambda arm, seed: {key: {50: (0.2 if arm == "a" else 0.8) + JITTER[seed]}},
        arms=arms("ab"),
        seeds=SEEDS,
    )
    [metric] = board(api, comparison, metrics=[key])["metrics"]
    assert (metric["best"], metric["practical"]) == (["a"], None)
    behind = metric["arms"][1]["to_best"]
    assert (behind["told_apart"], behind["level"]) == (True, False)


def test_the_metrics_of_a_use_must_agree(api: Api, parts: Parts) -> None:
    def crossed(arm: str, seed: int) -> Curves:
        noise = JITTER[(seed + "ab".index(arm)) % 6]
        return {
            MAP: {50: (0.8 if arm == "a" else 0.6) + noise},
            RECALL: {50: (0.7 if arm == "a" else 0.9) + noise},
        }

    comparison = scripted_comparison(parts.database, crossed, arms=arms("ab"), seeds=SEEDS)
    found = board(api, comparison)
    assert [metric["best"] for metric in found["metrics"]] == [["a"], ["b"]]
    assert found["advice"].startswith(
        "For retrieval it depends on the metric: a in MAP@R and b in Recall@1."
    )


def test_equal_values_are_ties(api: Api, parts: Parts) -> None:
    comparison = scripted_comparison(
        parts.database, lambda arm, seed: {MAP: {50: 0.5}}, arms=arms(), seeds=SEEDS
    )
    metric = board(api, comparison)["metrics"][0]
    assert metric["best"] == list("abcd")
    assert metric["groups"] == [list("abcd")]
    assert {tuple(arm["rank"]) for arm in metric["arms"]} == {(1, 4)}


def test_values_of_two_modalities_come_first(api: Api, parts: Parts) -> None:
    ways = [f"test.retrieval.{way}.map" for way in ("audio_to_visual", "visual_to_audio")]

    def across(arm: str, seed: int) -> Curves:
        return {**curves(arm, seed), **{way: {50: value(arm, seed)} for way in ways}}

    comparison = scripted_comparison(parts.database, across, arms=arms(), seeds=SEEDS)
    found = board(api, comparison)
    assert [metric["key"] for metric in found["metrics"]] == [*ways, MAP, RECALL]
    assert found["advice"].startswith("For retrieval from one modality to the other use a or b (")


def test_metrics_by_name(api: Api, parts: Parts) -> None:
    def with_geometry(arm: str, seed: int) -> Curves:
        return {"test.geometry.mean_norm": {50: value(arm, seed)}, **curves(arm, seed)}

    comparison = scripted_comparison(parts.database, with_geometry, arms=arms(), seeds=SEEDS)
    asked = ["test.geometry.mean_norm", KNN]
    found = board(api, comparison, metrics=asked)
    assert [metric["key"] for metric in found["metrics"]] == asked
    norm, knn = found["metrics"]
    assert (norm["best"], norm["better"]) == ([], None)
    assert norm["groups"] == [["a", "b"], ["c", "d"]]
    assert norm["said"] == "Neither direction is better."
    assert [arm["n"] for arm in knn["arms"]] == [0, 0, 0, 0]
    assert knn["said"] == "No arm has a value yet."
    assert found["advice"].startswith("For retrieval use a or b (")


def test_unknown_metrics_are_refused(api: Api, parts: Parts) -> None:
    comparison = scripted_comparison(parts.database, curves, arms=arms("ab"), seeds=[0])
    answer = api.http.get(
        f"/api/v1/comparisons/{comparison}/leaderboard",
        params={"metrics": ["test.retrieval.map", "dynamics.loss", MAP]},
    )
    assert answer.status_code == 422
    fields = answer.json()["fields"]
    assert [field["path"] for field in fields] == ["metrics", "metrics"]
    assert "did you mean 'test.retrieval.map_at_r'" in fields[0]["message"]
    assert "there is no metric of held-out data 'dynamics.loss'" in fields[1]["message"]


def test_nothing_measured(api: Api, parts: Parts) -> None:
    comparison = scripted_comparison(parts.database, lambda arm, seed: {}, arms=arms(), seeds=[0])
    found = board(api, comparison)
    assert (found["metrics"], found["advice"]) == ([], "")


def test_twenty_arms(api: Api, parts: Parts) -> None:
    names = [f"m{place:02}" for place in range(20)]

    def own(arm: str, seed: int) -> Curves:
        place = int(arm[1:])
        return {MAP: {50: 0.9 - 0.02 * place + JITTER[(seed + place) % 6]}}

    losses = [{"name": name, "loss": {"kind": "triplet"}} for name in names]
    found = board(api, scripted_comparison(parts.database, own, arms=losses, seeds=SEEDS))
    metric = found["metrics"][0]
    assert (len(metric["arms"]), metric["pairs"], metric["best"]) == (20, 190, ["m00"])
    assert metric["arms"][19]["rank"][1] == 20
    assert found["advice"].startswith("For retrieval use m00")
