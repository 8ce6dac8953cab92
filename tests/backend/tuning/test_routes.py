"""GET tuning and sensitivity, more trials, and the limit of runs, over HTTP."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from statistics import fmean
from typing import Any

import pytest

from backend.db.models import Run
from backend.settings import Settings
from backend.state import Parts
from backend.tuning import engine
from contract.comparison.tuning import Value
from tests.backend.conftest import Serve
from tests.backend.helpers import Api, Json, check_error, claim
from tests.backend.tuning.searches import (
    ARMS,
    SECONDS,
    SPACE,
    drive,
    finish,
    margin_of_a_half,
)
from tests.support.specs import small
from tests.support.waiting import until


def spec(arms: Sequence[Json] = ARMS, seeds: Sequence[int] = (0, 1), **tuning: Any) -> Json:
    return small(arms=list(arms), seeds=list(seeds), tuning={"trials": 12, **tuning})


def post(api: Api, path: str, body: Json) -> Any:
    return api.http.post(f"/api/v1{path}", json=body)


def along(api: Api, comparison: str, path: str) -> Any:
    return api.http.get(f"/api/v1/comparisons/{comparison}/tuning/sensitivity?path={path}")


@pytest.mark.both_databases
def test_a_search_is_told_from_its_first_trial_to_its_end(served: tuple[Api, Parts]) -> None:
    api, parts = served
    comparison = api.submit(**spec(folds=2))
    found = api.get(f"/comparisons/{comparison}/tuning")
    assert found["phase"] == "search"
    assert found["tuning"]["trials"] == 12
    assert [arm["name"] for arm in found["arms"]] == ["pull", "rank"]
    [pull, _] = found["arms"]
    assert pull["space"] == SPACE
    assert [trial["state"] for trial in pull["trials"]] == ["waiting"] * 12
    assert (pull["best"], pull["default"], pull["problem"], pull["curve"]) == (None, 0, None, [])
    assert (pull["importance"], pull["near_best"], pull["spent_s"]) == (None, None, 0)

    first = claim(parts.database)
    assert first is not None
    finish(parts.database, first, 0.25)
    begun = api.get(f"/comparisons/{comparison}/tuning")["arms"][0]["trials"][0]
    assert (begun["state"], begun["value"]) == ("running", None)
    run = {"id": first.id, "seed": 1000, "fold": 0, "state": "succeeded"}
    assert begun["runs"][0] == {**run, "value": 0.25, "best_epoch": 2}

    drive(parts.database, workers=2)
    over = api.get(f"/comparisons/{comparison}/tuning")
    assert over["phase"] == "done"
    pull = over["arms"][0]
    values = {one["number"]: one["value"] for one in pull["trials"]}
    assert pull["trials"][3]["epochs"] == 2
    assert pull["best"] == max(values, key=lambda number: values[number])
    random_values = [value for number, value in values.items() if number]
    curve = pull["curve"]
    assert [point["n"] for point in curve] == list(range(1, 12))
    assert curve[0]["value"] == pytest.approx(sum(random_values) / 11)
    assert curve[-1]["value"] == pytest.approx(max(random_values))
    assert max(pull["importance"], key=lambda path: pull["importance"][path]) == "loss.margin"
    best = max(values.values())
    assert pull["near_best"] == sum(value > best * 0.99 for value in values.values()) / 12
    assert pull["spent_s"] == 24 * SECONDS
    runs = api.get(f"/comparisons/{comparison}/runs")["runs"]
    assert [(run["arm"], run["trial"]) for run in runs[:1]] == [("pull", pull["best"])]


def test_the_sweeper_takes_the_steps_when_runs_have_ended(served: tuple[Api, Parts]) -> None:
    api, parts = served
    comparison = api.submit(**spec(trials=4, sampler="tpe", round=2))

    def trials() -> int:
        return len(api.get(f"/comparisons/{comparison}/tuning")["arms"][0]["trials"])

    for expected in (2, 4):
        until(lambda n=expected: trials() == n, f"{expected} trials")  # type: ignore[misc]
        for _ in range(4):
            run = claim(parts.database)
            assert run is not None
            finish(parts.database, run, 0.5)
        parts.sweeper.sweep_soon()  # as the collector does
    until(lambda: api.get(f"/comparisons/{comparison}/runs")["runs"], "the final runs")


def test_a_search_that_stands_still_says_why(
    served: tuple[Api, Parts], monkeypatch: pytest.MonkeyPatch
) -> None:
    api, parts = served
    comparison = api.submit(**spec(trials=1))
    assert api.get(f"/comparisons/{comparison}/tuning")["problem"] is None
    monkeypatch.setattr(engine, "next_step", lambda *_, **__: 1 / 0)
    while run := claim(parts.database):
        finish(parts.database, run, 0.5)
    parts.sweeper.sweep_soon()
    until(
        lambda: "ZeroDivisionError" in str(api.get(f"/comparisons/{comparison}/tuning")["problem"]),
        "the problem",
    )


def test_a_budget_curve_is_of_random_trials_and_failed_ones_have_the_worst_value(
    served: tuple[Api, Parts],
) -> None:
    api, parts = served
    values = {0: 0.9, 1: 0.3, 2: 0.6, 4: 0.5}  # trial 3 diverges

    def measured(run: Run, params: dict[str, Value]) -> float | None:
        return values.get(run.trial_number or 0)

    def curve(sampler: str) -> dict[int, float]:
        comparison = api.submit(**spec(ARMS[:1], trials=5, sampler=sampler, round=5))
        drive(parts.database, measured)
        [arm] = api.get(f"/comparisons/{comparison}/tuning")["arms"]
        assert [trial["state"] == "failed" for trial in arm["trials"]] == [
            number == 3 for number in range(5)
        ]
        return {point["n"]: point["value"] for point in arm["curve"]}

    counted = [0.3, 0.6, 0.3, 0.5]  # without the arm as written
    assert curve("random") == pytest.approx(
        {n: fmean(max(chosen) for chosen in combinations(counted, n)) for n in range(1, 5)}
    )
    assert curve("tpe") == dict.fromkeys(range(1, 6), 0.9)


def test_the_effect_of_a_setting_is_told_along_its_values(served: tuple[Api, Parts]) -> None:
    api, parts = served
    other = {
        "name": "soft",
        "loss": {"kind": "info_nce"},
        "search": {"loss.temperature": {"low": 0.01, "high": 1.0}},
    }
    comparison = api.submit(**spec([*ARMS, other], trials=3))
    drive(parts.database, lambda run, params: 0.5)
    found = along(api, comparison, "loss.margin").json()
    assert (found["path"], found["log"]) == ("loss.margin", True)
    assert [arm["name"] for arm in found["arms"]] == ["pull", "rank"]
    pull = found["arms"][0]
    assert (pull["default"], pull["published"]) == (1.0, None)
    trials = api.get(f"/comparisons/{comparison}/tuning")["arms"][0]["trials"]
    assert pull["points"] == [
        {"trial": 0, "value": 0.5, "x": 1.0, "state": "complete"},
        *(
            {"trial": n, "value": 0.5, "x": trials[n]["params"]["loss.margin"], "state": "complete"}
            for n in (1, 2)
        ),
    ]
    linear = along(api, comparison, "loss.temperature").json()
    assert (linear["log"], len(linear["arms"])) == (False, 1)
    [field] = check_error(along(api, comparison, "loss.scale"), 422, "invalid_request")["fields"]
    assert "loss.margin, training.optimizer.lr, loss.temperature" in field["message"]


def test_the_effect_of_a_setting_has_what_a_benchmark_found_on_the_same_data(api: Api) -> None:
    data, encoder = {"kind": "cub200"}, {"kind": "resnet50", "normalize": True}
    comparison = api.submit(**{**spec(trials=1), "data": data, "encoder": encoder})
    found = along(api, comparison, "loss.margin").json()
    assert [arm["published"] for arm in found["arms"]] == [0.3841, None]


def test_an_arm_without_a_complete_trial_says_why(served: tuple[Api, Parts]) -> None:
    def measured(run: Run, params: dict[str, Value]) -> float | None:
        return None if run.arm == "pull" else margin_of_a_half(run, params)

    api, parts = served
    comparison = api.submit(**spec(trials=2))
    drive(parts.database, measured)
    pull, rank = api.get(f"/comparisons/{comparison}/tuning")["arms"]
    assert pull["problem"] == (
        "all 2 trials failed, so it has no final runs; the first: the loss is not finite"
    )
    assert (pull["best"], pull["near_best"], pull["curve"]) == (None, None, [])
    assert rank["problem"] is None
    assert {run["arm"] for run in api.get(f"/comparisons/{comparison}/runs")["runs"]} == {"rank"}


def test_a_search_in_which_all_trials_fail_is_over_and_takes_more(
    served: tuple[Api, Parts],
) -> None:
    api, parts = served
    comparison = api.submit(**spec(trials=2, sampler="tpe", round=2))
    drive(parts.database, lambda run, params: None)
    assert api.get(f"/comparisons/{comparison}/tuning")["phase"] == "done"
    answer = post(api, f"/comparisons/{comparison}/tuning/more", {"trials": 2})
    assert answer.status_code == 200, answer.text
    assert answer.json()["phase"] == "search"
    drive(parts.database)
    assert len(api.get(f"/comparisons/{comparison}/runs")["runs"]) == 4


def test_more_trials_until_the_final_runs_exist(served: tuple[Api, Parts]) -> None:
    api, parts = served
    comparison = api.submit(**spec(trials=2))
    answer = post(api, f"/comparisons/{comparison}/tuning/more", {"trials": 3})
    assert answer.status_code == 200, answer.text
    assert answer.json()["tuning"]["trials"] == 5
    assert [len(arm["trials"]) for arm in answer.json()["arms"]] == [5, 5]
    assert api.get(f"/comparisons/{comparison}")["spec"]["tuning"]["trials"] == 5
    many = post(api, f"/comparisons/{comparison}/tuning/more", {"trials": 496})
    [field] = check_error(many, 422, "invalid_spec")["fields"]
    assert field["path"] == "trials"
    for wrong in ({}, {"trials": 0}, {"trials": 1, "rounds": 1}):
        check_error(
            post(api, f"/comparisons/{comparison}/tuning/more", wrong), 422, "invalid_request"
        )
    drive(parts.database)
    late = post(api, f"/comparisons/{comparison}/tuning/more", {"trials": 1})
    assert "duplicate" in check_error(late, 409, "conflict")["message"]
    assert len(api.get(f"/comparisons/{comparison}/runs")["runs"]) == 4


def test_runs_of_trials_cannot_be_tried_again_after_the_search(served: tuple[Api, Parts]) -> None:
    def measured(run: Run, params: dict[str, Value]) -> float | None:
        return None if run.trial_number == 1 else margin_of_a_half(run, params)

    api, parts = served
    comparison = api.submit(**spec(trials=3))
    drive(parts.database, measured)
    failed = api.get(f"/comparisons/{comparison}/runs", role="trial")["runs"][2]
    assert failed["state"] == "failed"
    check_error(api.http.post(f"/api/v1/runs/{failed['id']}/retry"), 409, "conflict")
    before = api.get(f"/comparisons/{comparison}/tuning")
    assert api.post(f"/comparisons/{comparison}/retry")["runs"]["queued"] == 0
    assert api.get(f"/comparisons/{comparison}/tuning") == before


def test_what_has_no_search_says_so(api: Api) -> None:
    plain = api.submit()
    for path in ("tuning", "tuning/sensitivity?path=loss.margin"):
        check_error(api.http.get(f"/api/v1/comparisons/{plain}/{path}"), 409, "conflict")
        check_error(api.http.get(f"/api/v1/comparisons/c0/{path}"), 404, "not_found")
    for comparison, status, code in ((plain, 409, "conflict"), ("c0", 404, "not_found")):
        answer = post(api, f"/comparisons/{comparison}/tuning/more", {"trials": 1})
        check_error(answer, status, code)


def test_a_comparison_has_no_more_runs_than_the_setting_allows(
    serve: Serve, settings: Settings
) -> None:
    with serve(replace(settings, most_trials=212)) as (api, _):
        fits = spec(trials=24, folds=4, seeds=range(10))
        assert post(api, "/comparisons", fits).status_code == 201
        larger = post(api, "/comparisons", spec(trials=24, folds=4, seeds=range(11)))
        [field] = check_error(larger, 422, "invalid_spec")["fields"]
        assert field["path"] == "tuning.trials"
        assert "2 arms x 24 trials x 4 folds + 2 x 11 seeds = 214 runs" in field["message"]
        made = post(api, "/comparisons", fits).json()["id"]
        more = post(api, f"/comparisons/{made}/tuning/more", {"trials": 1})
        [field] = check_error(more, 422, "invalid_spec")["fields"]
        assert "2 arms x 25 trials x 4 folds + 2 x 10 seeds = 220 runs" in field["message"]
        seeds = post(api, f"/comparisons/{made}/seeds", {"seeds": [99]})
        [field] = check_error(seeds, 422, "invalid_spec")["fields"]
        assert (field["path"], "214 runs" in field["message"]) == ("seeds", True)
        assert api.get(f"/comparisons/{made}")["seeds"] == list(range(10))
