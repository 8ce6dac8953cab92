"""A search by real workers: trials never see the test split, and no kill changes the outcome."""

import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.support.specs import small
from tests.support.stack import Json, Stack, running_stack
from tests.support.waiting import until

KILLS = 50
VICTIMS = ["trainer"] * 8 + ["api"] * 2 + ["worker", "template", "broker"]
SPACE = {
    "loss.margin": {"low": 0.05, "high": 2.0, "log": True},
    "training.optimizer.lr": {"low": 1e-4, "high": 1e-2, "log": True},
}
ARMS = [
    {"name": "pull", "loss": {"kind": "contrastive"}, "search": SPACE},
    {"name": "rank", "loss": {"kind": "triplet"}, "search": SPACE},
]


def tuned(epochs: int = 1, **tuning: Any) -> Json:
    """Return a spec of two arms that are tuned, and then trained with one seed."""
    training = {"epochs": epochs, "batch_size": 64}
    return small(name="tuned", arms=ARMS, training=training, tuning={"trials": 2, **tuning})


def wait_done(stack: Stack, comparison: str, *, timeout: float = 60) -> Json:
    """Wait for the end of the final runs; return the search."""

    def done() -> Json | None:
        try:
            found = stack.get(f"/comparisons/{comparison}/tuning")
        except httpx.HTTPError:
            return None  # killed on purpose; asked again until the deadline
        return found if found["phase"] == "done" else None

    found = until(done, f"the end of {comparison}", timeout=timeout)
    assert found is not None
    return found


def outcome(stack: Stack, comparison: str) -> list[Any]:
    """Return all that came out of a comparison, without ids and times."""
    search = wait_done(stack, comparison)
    runs = stack.get(f"/comparisons/{comparison}/runs", role="final")["runs"]
    return [
        *(
            (arm["name"], arm["best"], trial["number"], trial["params"], trial["value"])
            for arm in search["arms"]
            for trial in arm["trials"]
        ),
        *((run["arm"], run["trial"], stack.series(run["id"], "dynamics.loss")) for run in runs),
    ]


def keys(stack: Stack, run: str) -> set[str]:
    return {one["key"] for one in stack.get("/series", run=run)["series"]}


@pytest.mark.slow
def test_trials_never_see_the_test_split(stack: Stack) -> None:
    comparison = stack.submit(tuned(trials=1, folds=2))
    search = wait_done(stack, comparison)
    trials = stack.get(f"/comparisons/{comparison}/runs", role="trial")["runs"]
    assert len(trials) == 4
    for run in trials:
        assert run["state"] == "succeeded", run
        found = keys(stack, run["id"])
        assert "retrieval.map_at_r" in found
        assert not any("test." in key for key in found)
    finals = stack.get(f"/comparisons/{comparison}/runs")["runs"]
    assert [(run["arm"], run["seed"], run["trial"]) for run in finals] == [
        (arm["name"], 0, arm["best"]) for arm in search["arms"]
    ]
    for run in finals:
        assert run["state"] == "succeeded", run
        assert "test.retrieval.map_at_r" in keys(stack, run["id"])


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_the_outcome_is_the_same_with_one_and_with_four_workers(
    stack: Stack, tmp_path: Path, sampler: str
) -> None:
    spec = tuned(trials=12, sampler=sampler, round=4)
    alone = outcome(stack, stack.submit(spec))
    with running_stack(tmp_path / "data", "--no-demo", "--workers", "4") as four:
        assert outcome(four, four.submit(spec)) == alone


@pytest.mark.slow
def test_an_api_that_is_killed_in_the_search_changes_nothing(stack: Stack) -> None:
    spec = tuned(epochs=2, trials=10, sampler="tpe", round=5)
    undisturbed = outcome(stack, stack.submit(spec))
    comparison = stack.submit(spec)
    for over in (3, 8, 13, 17):
        _wait_over(stack, comparison, over)
        stack.kill("api")
    assert outcome(stack, comparison) == undisturbed


@pytest.mark.slow
def test_after_many_kills_every_arm_has_its_trials(stack: Stack) -> None:
    spec = tuned(epochs=2, trials=6)
    undisturbed = outcome(stack, stack.submit(spec))
    comparison = stack.submit(spec)
    order = random.Random(0)
    for over in range(1, 11, 2):
        _wait_over(stack, comparison, over)
        stack.kill(order.choice(["trainer", "worker", "api"]))
    assert outcome(stack, comparison) == undisturbed
    for arm in stack.get(f"/comparisons/{comparison}/tuning")["arms"]:
        assert [trial["state"] for trial in arm["trials"]] == ["complete"] * 6


@pytest.mark.slow
def test_two_identical_arms_get_identical_trials_and_tie(stack: Stack) -> None:
    twins = [{**ARMS[1], "name": name} for name in ("one", "two")]
    comparison = stack.submit({**tuned(trials=4), "arms": twins, "seeds": [0, 1, 2]})
    one, two = wait_done(stack, comparison)["arms"]
    for same in ("best", "curve", "importance", "near_best"):
        assert one[same] == two[same]
    trials = [[(t["params"], t["value"]) for t in arm["trials"]] for arm in (one, two)]
    assert trials[0] == trials[1]
    for metric in stack.get(f"/comparisons/{comparison}/leaderboard")["metrics"]:
        first, second = metric["arms"]
        assert first["values"] == second["values"], metric["key"]


@pytest.mark.slow
def test_after_fifty_random_kills_every_arm_has_exactly_its_trials(stack: Stack) -> None:
    """Three kills of the trainers of one run fail its trial, which counts like any other; all other
    trials have the values that they have without a kill."""
    trials = 4
    spec = tuned(epochs=20, trials=trials)
    undisturbed = _values(wait_done(stack, stack.submit(spec)))
    assert None not in undisturbed.values()
    order = random.Random(0)
    kills = 0
    while kills < KILLS:
        comparison = stack.submit(spec)
        while kills < KILLS:
            victim = order.choice(VICTIMS)
            if not _wait_step(stack, comparison, order.randrange(150), victim):
                break
            kills += _kill(stack, victim)
        search = wait_done(stack, comparison, timeout=120)
        for arm in search["arms"]:
            states = [trial["state"] for trial in arm["trials"]]
            assert [trial["number"] for trial in arm["trials"]] == list(range(trials))
            assert {*states} <= {"complete", "failed"}
            assert [len(trial["runs"]) for trial in arm["trials"]] == [1] * trials
        found = _values(search)
        assert {key: value for key, value in found.items() if value is not None}.items() <= (
            undisturbed.items()
        )
        finals = stack.get(f"/comparisons/{comparison}/runs")["runs"]
        assert [run["arm"] for run in finals] == [
            arm["name"] for arm in search["arms"] if arm["best"] is not None
        ]


def _kill(stack: Stack, victim: str) -> bool:
    """Kill the processes of a kind; return whether there still was one."""
    killed = False
    for process in stack.processes(victim):
        with suppress(psutil.NoSuchProcess):  # it has ended by itself
            process.kill()
            killed = True
    return killed


def _values(search: Json) -> dict[tuple[str, int], float | None]:
    """Arm and number of a trial -> its value."""
    return {
        (arm["name"], trial["number"]): trial["value"]
        for arm in search["arms"]
        for trial in arm["trials"]
    }


def _wait_step(stack: Stack, comparison: str, step: int, victim: str) -> bool:
    """Wait until a run has come to a step while there is a process of this kind; return whether
    that was before the end of the comparison."""

    def reached() -> str | None:
        try:
            runs = stack.get(f"/comparisons/{comparison}/runs", role="all")["runs"]
            if stack.get(f"/comparisons/{comparison}/tuning")["phase"] == "done":
                return "the end"
        except httpx.HTTPError:
            return None
        under_way = any(run["state"] == "running" and run["step"] >= step for run in runs)
        return "the step" if under_way and stack.processes(victim) else None

    return until(reached, f"step {step} of {comparison}, or its end") == "the step"


def _wait_over(stack: Stack, comparison: str, over: int) -> None:
    """Wait until so many trials are over, and a process of each kind is there to be killed."""

    def reached() -> bool:
        try:
            arms = stack.get(f"/comparisons/{comparison}/tuning")["arms"]
        except httpx.HTTPError:
            return False
        ended = sum(trial["value"] is not None for arm in arms for trial in arm["trials"])
        return ended >= over and all(map(stack.processes, ("api", "worker", "trainer")))

    until(reached, f"{over} trials of {comparison}", timeout=60)
