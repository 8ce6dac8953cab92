"""The summary over HTTP, from stored points."""

import statistics

import pytest

from backend.runs import repository as runs
from backend.state import Parts
from contract.statistics import compare
from tests.backend.helpers import Api, Json, claim
from tests.backend.scripted_runs import PAIR, Curves, per_epoch, run_script, scripted_comparison

SEEDS = [4, 7, 9]


def curves(arm: str, seed: int) -> Curves:
    """The loss of `rank` never reaches a tenth at seed 9."""
    rank = arm == "rank"
    slow = rank and seed == 9
    return {
        "dynamics.loss": per_epoch(1.0, 0.6, 0.4, *[0.3 if slow else 0.05] * 8),
        "dynamics.active_ratio": per_epoch(1.0, *[0.4 if rank else 0.7] * 10),
        "dynamics.gradient_norm.per_active": per_epoch(None, *[None] * 9, 0.25),
        "dynamics.empty_steps": {step: step // 40 for step in range(1, 101)},
        "retrieval.map_at_r": {
            0: 0.2 + seed / 100,
            50: 0.9,
            100: 0.5 + seed / 50 + (0.1 + seed / 500) * rank,
        },
        "test.retrieval.map_at_r": {50: 0.6},
    }


def metrics(summary: Json) -> dict[str, Json]:
    return {metric["key"]: metric for metric in summary["metrics"]}


def test_values_untrained_and_differences(api: Api, parts: Parts) -> None:
    comparison = scripted_comparison(parts.database, curves, seeds=SEEDS)
    summary = api.get(f"/comparisons/{comparison}/summary")
    assert set(summary) == {"metrics", "runs_finished", "runs_total", "baseline", "differs"}
    assert (summary["baseline"], summary["differs"]) == ("pull", [])
    assert (summary["runs_finished"], summary["runs_total"]) == (6, 6)
    found = metrics(summary)
    assert set(found) == {
        "dynamics.loss",
        "dynamics.active_ratio",
        "dynamics.gradient_norm.per_active",
        "dynamics.empty_steps",
        "dynamics.loss_decay_epochs",
        "dynamics.half_life",
        "dynamics.auc",
        "dynamics.active_ratio.early",
        "dynamics.gradient_norm.per_active.mean",
        "retrieval.map_at_r",
        "test.retrieval.map_at_r",
    }
    pull, rank = found["retrieval.map_at_r"]["arms"]
    ours = [0.5 + seed / 50 for seed in SEEDS]
    assert [v["value"] for v in pull["values"]] == ours
    assert [v["seed"] for v in pull["values"]] == SEEDS
    assert pull["mean"] == pytest.approx(statistics.fmean(ours))
    assert pull["untrained"] == rank["untrained"]
    assert pull["untrained"] == pytest.approx(0.2 + statistics.fmean(SEEDS) / 100)
    assert (pull["n"], pull["censored"]) == (3, 0)
    [difference] = found["retrieval.map_at_r"]["differences"]
    theirs = [v["value"] for v in rank["values"]]
    expected = compare(theirs, ours)
    assert difference == {
        "a": "rank",
        "b": "pull",
        "n": 3,
        "mean_difference": expected.mean_difference,
        "interval": list(expected.interval or ()),
        "p_value": 0.25,
        "smallest_p": 0.25,
        "effect_size": expected.effect_size,
    }
    assert [arm["untrained"] for arm in found["test.retrieval.map_at_r"]["arms"]] == [None, None]
    assert found["dynamics.loss"]["arms"][0]["untrained"] is None
    assert found["dynamics.empty_steps"]["arms"][0]["mean"] == 2  # the count at the last step
    assert found["dynamics.gradient_norm.per_active"]["arms"][0]["mean"] == pytest.approx(0.25)


def test_a_censored_run_leaves_no_mean(api: Api, parts: Parts) -> None:
    comparison = scripted_comparison(parts.database, curves, seeds=SEEDS)
    found = metrics(api.get(f"/comparisons/{comparison}/summary"))["dynamics.loss_decay_epochs"]
    pull, rank = found["arms"]
    assert (pull["mean"], pull["sd"], pull["low"], pull["high"]) == (3, 0, 3, 3)
    assert (rank["mean"], rank["sd"], rank["low"], rank["high"]) == (None, None, None, None)
    assert (pull["censored"], rank["censored"], rank["n"]) == (0, 1, 3)
    assert [(v["value"], v["censored"]) for v in rank["values"]] == [
        (3, False),
        (3, False),
        (10, True),
    ]
    assert {v["step"] for v in rank["values"]} == {100}
    [difference] = found["differences"]
    assert (difference["n"], difference["interval"]) == (3, None)
    assert difference["mean_difference"] == pytest.approx(7 / 3)


def test_two_seeds_are_shown_alone_and_intervals_end_where_the_metric_does(
    api: Api, parts: Parts
) -> None:
    def wide(arm: str, seed: int) -> Curves:
        return {
            "retrieval.map_at_r": {100: {4: 0.4, 7: 0.95, 9: 0.9}[seed] - 0.2 * (arm == "rank")}
        }

    two = scripted_comparison(parts.database, wide, seeds=SEEDS[:2])
    [metric] = api.get(f"/comparisons/{two}/summary")["metrics"]
    assert [(arm["n"], arm["low"], arm["high"]) for arm in metric["arms"]] == [(2, None, None)] * 2
    assert metric["arms"][0]["sd"] == pytest.approx(0.55 / 2**0.5)
    assert (metric["differences"][0]["n"], metric["differences"][0]["interval"]) == (2, None)
    three = scripted_comparison(parts.database, wide, seeds=SEEDS)
    [metric] = api.get(f"/comparisons/{three}/summary")["metrics"]
    assert [(arm["low"], arm["high"]) for arm in metric["arms"]] == [(0, 1), (0, 1)]


def test_equal_differences_have_no_interval(api: Api, parts: Parts) -> None:
    def steady(arm: str, seed: int) -> Curves:
        return {"retrieval.map_at_r": {100: 0.5 + seed / 16 + 0.25 * (arm == "rank")}}

    comparison = scripted_comparison(parts.database, steady, seeds=[0, 1, 2])
    [metric] = api.get(f"/comparisons/{comparison}/summary")["metrics"]
    [difference] = metric["differences"]
    assert (difference["mean_difference"], difference["interval"]) == (0.25, None)
    assert difference["p_value"] == 0.25
    splits = scripted_comparison(parts.database, steady, seeds=[0, 1, 2], replicate="split")
    [metric] = api.get(f"/comparisons/{splits}/summary")["metrics"]
    assert (metric["differences"][0]["interval"], metric["differences"][0]["p_value"]) == (None, 1)


def test_re_splits_of_one_data_set_have_wider_intervals(api: Api, parts: Parts) -> None:
    seeds = scripted_comparison(parts.database, curves, seeds=SEEDS)
    splits = scripted_comparison(parts.database, curves, seeds=SEEDS, replicate="split")
    found = [
        metrics(api.get(f"/comparisons/{one}/summary"))["retrieval.map_at_r"]
        for one in (seeds, splits)
    ]
    for narrow, wide in zip(*(one["arms"] for one in found), strict=True):
        # The sizes of the splits were not stored: as many test as training items are assumed.
        ratio = (wide["high"] - wide["mean"]) / (narrow["high"] - narrow["mean"])
        assert wide["high"] == 1 or ratio == pytest.approx((1 + 3) ** 0.5)
    independent, dependent = (one["differences"][0] for one in found)
    assert dependent["mean_difference"] == independent["mean_difference"]
    assert (independent["smallest_p"], dependent["smallest_p"]) == (0.25, 0)
    assert dependent["p_value"] != independent["p_value"]


def test_any_arm_can_be_the_baseline_and_differing_settings_are_named(
    api: Api, parts: Parts
) -> None:
    wide = {"name": "wide", "loss": {"kind": "triplet", "margin": 2.0}}
    comparison = scripted_comparison(parts.database, curves, seeds=SEEDS, arms=[*PAIR, wide])
    summary = api.get(f"/comparisons/{comparison}/summary", baseline="rank")
    assert summary["baseline"] == "rank"
    assert summary["differs"] == [
        {"setting": "loss.margin", "values": {"pull": 1.0, "rank": 1.0, "wide": 2.0}}
    ]
    pairs = [(d["a"], d["b"]) for d in metrics(summary)["dynamics.auc"]["differences"]]
    assert pairs == [("pull", "rank"), ("wide", "rank")]


@pytest.mark.parametrize(
    ("path", "field"), [("summary?baseline=x", "baseline"), ("summary?baseline=", "baseline")]
)
def test_an_unknown_baseline_is_named(api: Api, path: str, field: str) -> None:
    comparison = api.submit(arms=list(PAIR))
    answer = api.http.get(f"/api/v1/comparisons/{comparison}/{path}")
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    [problem] = answer.json()["fields"]
    assert problem["path"] == field
    assert "the arms are 'pull', 'rank'" in problem["message"]
    assert api.http.get("/api/v1/comparisons/none/summary?baseline=x").status_code == 404


def test_only_pairs_of_runs_that_have_succeeded(api: Api, parts: Parts) -> None:
    states = {("rank", 4): "running", ("pull", 7): "failed"}
    comparison = scripted_comparison(parts.database, curves, seeds=SEEDS, states=states)
    summary = api.get(f"/comparisons/{comparison}/summary")
    assert summary["runs_finished"] == 4
    found = metrics(summary)
    pull, rank = found["retrieval.map_at_r"]["arms"]
    assert [v["seed"] for v in pull["values"]] == [4, 9]  # the failed one does not count
    assert [v["seed"] for v in rank["values"]] == SEEDS  # the running one does, so far
    assert [d["n"] for d in found["retrieval.map_at_r"]["differences"]] == [1]
    early = found["dynamics.active_ratio.early"]["arms"]
    assert [[v["seed"] for v in arm["values"]] for arm in early] == [[4, 9], [7, 9]]


def test_a_retried_runs_second_attempt_counts(api: Api, parts: Parts) -> None:
    database = parts.database
    states = {("pull", 7): "failed"}
    comparison = scripted_comparison(database, curves, seeds=SEEDS, states=states)
    before = metrics(api.get(f"/comparisons/{comparison}/summary"))
    assert [v["seed"] for v in before["dynamics.auc"]["arms"][0]["values"]] == [4, 9]
    with database.write() as write:
        for run in runs.of_comparison(write.session, comparison):
            if run.state == "failed":
                runs.retry(write, run)
    again = claim(database)
    assert again is not None
    run_script(
        database,
        again,
        {
            "dynamics.loss": per_epoch(2.0, 1.0, *[0.5] * 9),
            "retrieval.map_at_r": {0: 0.3, 100: 0.8},
        },
    )
    found = metrics(api.get(f"/comparisons/{comparison}/summary"))
    pull, _ = found["dynamics.auc"]["arms"]
    assert [v["seed"] for v in pull["values"]] == SEEDS
    assert pull["values"][1]["value"] == pytest.approx((0.5 + 9 * 0.25) / 10)
    assert found["retrieval.map_at_r"]["arms"][0]["values"][1]["value"] == 0.8
    assert [d["n"] for d in found["retrieval.map_at_r"]["differences"]] == [3]


def test_raw_backbone_and_chance_are_given_with_their_metric(api: Api, parts: Parts) -> None:
    def with_references(arm: str, seed: int) -> Curves:
        return {
            **curves(arm, seed),
            "backbone.retrieval.map_at_r": {0: 0.25},
            "backbone.test.retrieval.map_at_r": {0: 0.5},
            "chance.test.retrieval.map_at_r": {0: 0.125},
        }

    comparison = scripted_comparison(parts.database, with_references, seeds=SEEDS)
    found = metrics(api.get(f"/comparisons/{comparison}/summary"))
    assert not any(key.startswith(("backbone.", "chance.")) for key in found)
    references = {key: (one["raw_backbone"], one["chance"]) for key, one in found.items()}
    assert references["retrieval.map_at_r"] == (0.25, None)
    assert references["test.retrieval.map_at_r"] == (0.5, 0.125)
    assert references["dynamics.loss"] == (None, None)


@pytest.mark.parametrize(("other", "named"), [(0.5, True), (0.13, False)])
def test_the_measured_share_that_pulls_is_among_what_differs(
    api: Api, parts: Parts, other: float, *, named: bool
) -> None:
    def shares(arm: str, seed: int) -> Curves:
        share = other if arm == "rank" else 0.125
        return {
            **curves(arm, seed),
            "dynamics.pull_share": per_epoch(None, *[share] * 10, swing=0),
        }

    comparison = scripted_comparison(parts.database, shares, seeds=SEEDS)
    row = {"setting": "dynamics.pull_share.mean", "values": {"pull": 0.125, "rank": other}}
    assert api.get(f"/comparisons/{comparison}/summary")["differs"] == [row] * named
