"""Arms of several comparisons over HTTP: the list, the table of values, the curves."""

import math
import statistics

import numpy as np
import pytest
from scipy import stats

from backend.arms import repository as arms_repository
from backend.db.database import Database
from backend.db.models import Comparison
from backend.metrics import points
from backend.runs import repository as runs
from backend.state import Parts
from contract.statistics import interval
from tests.backend.helpers import Api, Json
from tests.backend.scripted_runs import PAIR, Curves, per_epoch, scripted_comparison
from tests.support import long_runs as generated_curves

KEY = "retrieval.map_at_r"
SEEDS = [1, 2, 3]


def measured(arm: str, seed: int) -> Curves:
    """The best validation value is not the last, is reached twice, and is beaten at step 0."""
    end = 0.5 + seed / 10 + 0.05 * (arm == "rank")
    best = 20 if seed == 1 else 40
    return {
        "dynamics.loss": per_epoch(1.0, *[0.5] * 9, 0.1 * seed),
        "run.elapsed_s": {step: 0.5 * step + seed for step in range(1, 101)},
        KEY: {0: 5.0, 20: end + 0.1 * (best == 20), 40: end + 0.1, 70: end + 0.1, 100: end},
        "geometry.distance_overlap": {0: -9.0, 50: -1.0 - seed, 100: -0.5},
        f"test.{KEY}": {best: end - 0.01},
    }


def refs(comparison: str, *arms: str) -> list[str]:
    return [f"{comparison}~{arm}" for arm in arms]


def names(page: Json) -> list[tuple[str, str]]:
    return [(arm["comparison_name"], arm["arm"]) for arm in page["arms"]]


def test_an_arm_is_listed_with_runs_settings_and_best_epoch(api: Api, parts: Parts) -> None:
    optimizer = {"optimizer": {"kind": "sgd", "lr": 0.5}}
    arms = [PAIR[0], {**PAIR[1], "training": optimizer}]
    comparison = scripted_comparison(parts.database, measured, seeds=SEEDS, arms=arms, tags=["t"])
    page = api.get("/arms")
    assert (page["total"], page["page"], page["page_size"]) == (2, 1, 50)
    pull, rank = page["arms"]
    assert (pull["arm"], rank["arm"]) == ("pull", "rank")
    assert pull["comparison"] == comparison
    assert (pull["state"], pull["tags"], pull["data"]) == ("succeeded", ["t"], "digits")
    assert (pull["loss"], rank["loss"]) == ("contrastive", "triplet")
    assert [(run["seed"], run["state"]) for run in pull["runs"]] == [
        (seed, "succeeded") for seed in SEEDS
    ]
    assert pull["seeds"] == 3
    assert (pull["settings"]["loss.margin"], pull["settings"]["training.optimizer.lr"]) == (1, 1e-3)
    assert rank["settings"]["training.optimizer.lr"] == 0.5
    assert rank["settings"]["training.optimizer.kind"] == "sgd"
    assert pull["settings"]["encoder.embedding_dim"] == 16
    # The test split was read at steps 20, 40 and 40 of epochs of 10.
    assert pull["best_epoch"]["mean"] == pytest.approx(10 / 3)
    assert pull["best_epoch"]["n"] == 3


def test_an_arm_that_has_not_run_has_no_best_epoch(api: Api) -> None:
    api.submit(seeds=[0, 1])
    [arm] = api.get("/arms")["arms"]
    assert (arm["best_epoch"], arm["state"], arm["seeds"]) == (None, "queued", 2)


@pytest.mark.both_databases
def test_filters_words_and_order(api: Api, parts: Parts) -> None:
    scripted_comparison(
        parts.database,
        measured,
        name="Ärger",
        tags=["odd"],
        states={("rank", 1): "failed"},
        seeds=[1, 2],
    )
    api.submit(name="beta", notes="on hold", tags=["even"], seeds=[5])
    assert api.get("/arms")["total"] == 3
    pull, rank, triplet = ("Ärger", "pull"), ("Ärger", "rank"), ("beta", "triplet")
    for asked, expected in (
        ({"q": "ärger RANK"}, [rank]),
        ({"q": "hold"}, [triplet]),
        ({"q": "ev"}, [triplet]),
        ({"q": "pull hold"}, []),
        ({"tag": "odd"}, [pull, rank]),
        ({"tag": "od"}, []),
        ({"loss": "triplet"}, [triplet, rank]),
        ({"data": "digits", "loss": "contrastive"}, [pull]),
        ({"data": "mnist"}, []),
        ({"state": "failed"}, [rank]),
        ({"state": "succeeded"}, [pull]),
        ({"state": "queued"}, [triplet]),
        ({"sort": "comparison_name", "descending": False}, [triplet, pull, rank]),
        ({"sort": "arm", "descending": True}, [triplet, rank, pull]),
        ({"sort": "seeds", "descending": False}, [triplet, pull, rank]),
        ({"sort": "state", "descending": False}, [triplet, rank, pull]),
        ({"sort": "loss", "descending": False}, [pull, triplet, rank]),
        ({"sort": "created_at", "descending": False}, [pull, rank, triplet]),
    ):
        found = api.get("/arms", **asked)
        assert names(found) == expected, asked
        assert found["total"] == len(expected)


@pytest.mark.both_databases
def test_pages_and_archived_comparisons(api: Api, parts: Parts) -> None:
    for index in range(3):
        api.submit(name=f"n{index}", arms=list(PAIR))
    first = api.get("/arms", page_size=4)
    second = api.get("/arms", page_size=4, page=2)
    assert (first["total"], len(first["arms"]), len(second["arms"])) == (6, 4, 2)
    assert names(second) == [("n0", "pull"), ("n0", "rank")]
    assert api.get("/arms", page_size=4, page=3)["arms"] == []
    with parts.database.write() as write:
        comparison = write.session.get(Comparison, second["arms"][0]["comparison"])
        assert comparison is not None
        comparison.archived = True
        write.session.add(comparison)
    assert {name for name, _ in names(api.get("/arms"))} == {"n2", "n1"}
    assert {name for name, _ in names(api.get("/arms", archived=True))} == {"n0"}


@pytest.mark.parametrize(
    "asked", [{"sort": "no"}, {"page": 0}, {"page_size": 201}, {"state": "odd"}]
)
def test_a_bad_query_is_refused(api: Api, asked: Json) -> None:
    answer = api.http.get("/api/v1/arms", params=asked)
    assert answer.status_code == 422
    assert answer.json()["fields"][0]["path"] == next(iter(asked))


@pytest.mark.both_databases
def test_last_best_and_test_values_over_seeds(api: Api, parts: Parts) -> None:
    comparison = scripted_comparison(parts.database, measured, seeds=SEEDS)
    other = scripted_comparison(parts.database, measured, seeds=SEEDS[:1], name="other")
    asked = [*refs(other, "rank"), *refs(comparison, "pull")]
    found = api.get(
        "/arms/values", arm=asked, key=[KEY, "geometry.distance_overlap", "dynamics.loss"]
    )
    assert [(arm["comparison"], arm["arm"]) for arm in found["arms"]] == [
        (other, "rank"),
        (comparison, "pull"),
    ]
    assert found["unknown"] == []
    quality, overlap, loss = found["metrics"]
    assert (quality["key"], quality["label"], quality["better"]) == (KEY, "MAP@R", "higher")
    single, pull = quality["arms"]
    assert single["last"] == {"mean": pytest.approx(0.65), "sd": None, "n": 1, "censored": 0}
    ends = [0.6, 0.7, 0.8]
    assert pull["last"]["mean"] == pytest.approx(statistics.fmean(ends))
    assert pull["last"]["sd"] == pytest.approx(statistics.stdev(ends))
    assert pull["best"]["mean"] == pytest.approx(0.8)  # 0.1 above each end; step 0 does not count
    assert [run["best_epoch"] for run in pull["runs"]] == [2, 4, 4]  # the earliest of equal ones
    assert pull["best_epoch"]["mean"] == pytest.approx(10 / 3)
    assert pull["best_epoch"]["sd"] == pytest.approx(statistics.stdev([2, 4, 4]))
    assert [run["test"] for run in pull["runs"]] == [pytest.approx(end - 0.01) for end in ends]
    assert [run["seed"] for run in pull["runs"]] == SEEDS
    # Lower is better, and the last value is the worse one.
    assert [run["best"] for run in overlap["arms"][1]["runs"]] == [-2, -3, -4]
    assert overlap["arms"][1]["test"] is None
    # A metric of every step: its last epoch's mean, and nothing that is best.
    assert [run["last"] for run in loss["arms"][1]["runs"]] == [
        pytest.approx(0.1 * seed) for seed in SEEDS
    ]
    assert (loss["arms"][1]["best"], loss["arms"][1]["best_epoch"]) == (None, None)


def test_a_censored_statistic_has_no_mean(api: Api, parts: Parts) -> None:
    comparison = scripted_comparison(parts.database, measured, seeds=SEEDS)
    key = "dynamics.loss_decay_epochs"
    found = api.get("/arms/values", arm=refs(comparison, "pull"), key=key)
    [pull] = found["metrics"][0]["arms"]
    assert pull["last"] == {"mean": None, "sd": None, "n": 3, "censored": 2}
    assert [(run["last"], run["censored"]) for run in pull["runs"]] == [
        (10, False),
        (10, True),
        (10, True),
    ]


def test_failed_runs_do_not_count_and_a_missing_metric_is_empty(api: Api, parts: Parts) -> None:
    states = {("pull", 2): "failed", ("pull", 3): "running"}
    comparison = scripted_comparison(parts.database, measured, seeds=SEEDS, states=states)
    found = api.get("/arms/values", arm=refs(comparison, "pull"), key=[KEY, "clustering.ami"])
    quality, absent = found["metrics"]
    assert [run["seed"] for run in quality["arms"][0]["runs"]] == [1, 3]
    assert absent["arms"] == [
        {"last": None, "best": None, "best_epoch": None, "test": None, "runs": []}
    ]
    assert "clustering.ami" not in found["keys"]
    assert KEY in found["keys"]
    assert f"test.{KEY}" not in found["keys"]
    assert found["keys"].index("dynamics.loss") < found["keys"].index(KEY)


def test_differing_settings_are_those_that_differ_between_the_arms_that_have_them(
    api: Api, parts: Parts
) -> None:
    arms = [
        {"name": "a", "loss": {"kind": "triplet", "margin": 0.5}},
        {"name": "b", "loss": {"kind": "sup_con", "temperature": 0.2}},
    ]
    comparison = api.submit(arms=arms)
    encoder = {"kind": "mlp", "hidden": 64, "layers": 1, "embedding_dim": 8}
    other = api.submit(arms=[{"name": "a", "loss": {"kind": "triplet"}}], encoder=encoder)
    found = api.get("/arms/values", arm=[*refs(comparison, "a", "b"), *refs(other, "a")])
    differ = {row["setting"]: row["values"] for row in found["differs"]}
    assert differ == {
        "loss.margin": [0.5, None, 1.0],
        "loss.kind": ["triplet", "sup_con", "triplet"],
        "encoder.embedding_dim": [16, 16, 8],
    }
    assert {row["label"] for row in found["differs"]} >= {"Margin"}
    alone = api.get("/arms/values", arm=refs(comparison, "a"))
    assert (alone["differs"], alone["metrics"]) == ([], [])


def test_an_angle_and_a_distance_of_the_same_name_do_not_differ(api: Api) -> None:
    arms = [
        {"name": "angle", "loss": {"kind": "arcface"}},
        {"name": "distance", "loss": {"kind": "triplet", "margin": 0.7}},
    ]
    found = api.get("/arms/values", arm=refs(api.submit(arms=arms), "angle", "distance"))
    assert "loss.margin" not in {row["setting"] for row in found["differs"]}


@pytest.mark.both_databases
def test_unknown_arms_are_named_and_the_others_answered(api: Api, parts: Parts) -> None:
    comparison = scripted_comparison(parts.database, measured, seeds=[1])
    unknown = ["c0~pull", f"{comparison}~no", "nothing", "~"]
    asked = [unknown[0], *refs(comparison, "rank"), *unknown[1:], *refs(comparison, "rank")]
    found = api.get("/arms/values", arm=asked, key=KEY)
    assert found["unknown"] == unknown
    assert [arm["arm"] for arm in found["arms"]] == ["rank"]
    assert len(found["metrics"][0]["arms"]) == 1
    drawn = api.get("/arms/curves", arm=asked, key=KEY)
    assert drawn["unknown"] == unknown
    assert [arm["arm"] for arm in drawn["arms"]] == ["rank"]
    none_found = api.get("/arms/values", arm=unknown[:1], key=KEY)
    assert (none_found["arms"], none_found["keys"], none_found["metrics"][0]["arms"]) == (
        [],
        [],
        [],
    )


def test_an_arm_with_the_separator_in_its_name_is_found(api: Api) -> None:
    arms = [{"name": "a~b & ü", "loss": {"kind": "triplet"}}]
    comparison = api.submit(arms=arms)
    found = api.get("/arms/values", arm=refs(comparison, "a~b & ü"))
    assert [arm["arm"] for arm in found["arms"]] == ["a~b & ü"]


@pytest.mark.parametrize("path", ["values", "curves"])
def test_unknown_metrics_too_many_arms_and_none_are_refused(api: Api, path: str) -> None:
    good = {"arm": ["c~a"], "key": [KEY]}
    for changes, field in (
        ({"key": ["no.such"]}, "key"),
        ({"arm": []}, "arm"),
        ({"arm": [f"c~{i}" for i in range(41)]}, "arm"),
    ):
        answer = api.http.get(f"/api/v1/arms/{path}", params={**good, **changes})
        assert answer.status_code == 422, changes
        fields = answer.json()["fields"]
        assert fields[0]["path"].startswith(field)
    no_such = api.http.get(f"/api/v1/arms/{path}", params={**good, "key": ["no.such"]}).json()
    assert "'no.such'" in no_such["fields"][0]["message"]


@pytest.mark.both_databases
def test_a_curve_is_the_mean_over_seeds_with_its_interval(api: Api, parts: Parts) -> None:
    comparison = scripted_comparison(parts.database, measured, seeds=SEEDS)
    asked = {"arm": refs(comparison, "pull"), "key": KEY, "elapsed": True, "seeds": True}
    [curve] = api.get("/arms/curves", **asked)["arms"]
    assert (curve["steps"], curve["width"]) == ([0, 20, 40, 70, 100], 1)
    assert curve["steps_per_epoch"] == 10
    assert curve["n"] == [3] * 5
    low, high = interval([0.6, 0.7, 0.8]) or (math.nan, math.nan)
    assert curve["mean"][4] == pytest.approx(0.7)
    assert (curve["low"][4], curve["high"][4]) == (pytest.approx(low), pytest.approx(high))
    # Seconds 0.5 a step and the seed on top; nothing has passed before the first step.
    assert curve["elapsed"] == [0.0, 12.0, 22.0, 37.0, 52.0]
    assert [run["seed"] for run in curve["runs"]] == SEEDS
    assert curve["runs"][1]["values"] == [5.0, *[pytest.approx(v) for v in (0.7, 0.8, 0.8, 0.7)]]
    plain = api.get("/arms/curves", arm=refs(comparison, "pull"), key=KEY)["arms"][0]
    assert (plain["elapsed"], plain["runs"]) == (None, [])


def test_gaps_lone_seeds_and_arms_without_the_metric(api: Api, parts: Parts) -> None:
    def some(arm: str, seed: int) -> Curves:
        if arm == "rank":
            return {"dynamics.loss": {1: 1.0}}
        return {
            KEY: {10: 0.25, 20: None if seed == 1 else 0.75, **({30: 1.0} if seed == 2 else {})}
        }

    comparison = scripted_comparison(parts.database, some, seeds=[0, 1, 2])
    pull, rank = api.get("/arms/curves", arm=refs(comparison, "pull", "rank"), key=KEY)["arms"]
    assert (pull["steps"], pull["mean"], pull["n"]) == ([10, 20, 30], [0.25, 0.75, 1.0], [3, 2, 1])
    assert pull["low"] == [0.25, None, None]  # two seeds are no more than two values
    assert (rank["steps"], rank["mean"], rank["runs"]) == ([], [], [])


def test_intervals_of_curves_end_where_the_metric_does(api: Api, parts: Parts) -> None:
    def wide(arm: str, seed: int) -> Curves:
        far = (0.1, 0.5, 0.9)[seed]
        return {
            KEY: {10: far},
            "dynamics.active_ratio": {1: far},
            "dynamics.loss": {1: 10 * far},
            "geometry.hubness": {10: far},
        }

    comparison = scripted_comparison(parts.database, wide, seeds=[0, 1, 2])

    def ends(key: str) -> list[float]:
        [curve] = api.get("/arms/curves", arm=refs(comparison, "pull"), key=key)["arms"]
        return [curve["low"][0], curve["high"][0]]

    low, high = interval([0.1, 0.5, 0.9]) or (math.nan, math.nan)
    assert ends(KEY) == ends("dynamics.active_ratio") == [0, 1]
    assert ends("dynamics.loss") == pytest.approx([0, 10 * high])
    assert ends("geometry.hubness") == pytest.approx([low, high])


@pytest.mark.parametrize("max_points", [2000, 400, 100, 12, 3, 1])
def test_downsampled_curves_are_the_means_of_their_buckets(
    api: Api, parts: Parts, max_points: int
) -> None:
    [comparison] = generated_curves.fill(parts.database, comparisons=1, arms=1, seeds=3, steps=1000)
    [arm] = api.get("/arms")["arms"]
    asked = {"key": "dynamics.loss", "max_points": max_points, "seeds": True}
    [curve] = api.get("/arms/curves", arm=f"{comparison}~{arm['arm']}", **asked)["arms"]
    width = curve["width"]
    assert len(curve["steps"]) <= max_points
    assert width & (width - 1) == 0
    raw = [raw_points(parts.database, run["id"]) for run in arm["runs"]]
    for index, step in enumerate(curve["steps"]):
        seeds = [float(np.mean(one[step : step + width])) for one in raw]
        assert [run["values"][index] for run in curve["runs"]] == pytest.approx(seeds)
        assert curve["mean"][index] == pytest.approx(statistics.fmean(seeds))
        half = stats.t.ppf(0.975, 2) * statistics.stdev(seeds) / math.sqrt(3)
        assert curve["high"][index] == pytest.approx(statistics.fmean(seeds) + half)
    assert [step % width for step in curve["steps"]] == [0] * len(curve["steps"])
    covered = sum(len(raw[0][step : step + width]) for step in curve["steps"])
    assert covered == 1001


def raw_points(database: Database, run: str) -> list[float]:
    """Every value of the loss, from step 0."""
    with database.read() as session:
        ids = points.ensure_series(session, [(run, "dynamics.loss")])
        found = arms_repository.bucket_means(session, list(ids.values()), 0)
    return [value for _, _, value in sorted(found) if value is not None]


def test_generated_runs_are_complete(database: Database) -> None:
    made = generated_curves.fill(database, comparisons=2, arms=2, seeds=2, steps=300)
    assert len(made) == 2
    with database.read() as session:
        of_first = runs.of_comparison(session, made[0])
        assert [(run.state, run.step, run.steps_per_epoch) for run in of_first] == [
            ("succeeded", 300, 100)
        ] * 4
        keys = arms_repository.metric_keys(session, [of_first[0].id])
        best = arms_repository.best_values(session, runs=[of_first[0].id], key=KEY, better="higher")
        test = arms_repository.test_steps(session, [of_first[0].id])
    assert keys >= {"dynamics.loss", "run.elapsed_s", KEY, f"test.{KEY}"}
    assert best[0].step in {100, 200, 300}
    assert set(test) == {of_first[0].id}
