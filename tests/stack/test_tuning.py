"""A search by real workers: trials never see the test split, and no kill changes the outcome."""

import random
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.specs import small
from tests.support.stack import Json, Stack, running_stack
from tests.support.waiting import until

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
