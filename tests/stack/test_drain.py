"""A worker that is asked to stop returns its run at a checkpoint; another slot continues it."""

import sqlite3
from collections.abc import Iterator

import psutil
import pytest

from tests.support.specs import long
from tests.support.stack import Json, Stack, running_stack
from tests.support.waiting import still_alive

KEYS = ("dynamics.loss", "dynamics.update_norm", "retrieval.map_at_r", "test.retrieval.map_at_r")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two slots whose trainers take no regular checkpoint during a test."""
    data = tmp_path_factory.mktemp("drain") / "data"
    with running_stack(
        data, "--no-demo", "--workers", "2", LOSSBOARD_CHECKPOINT_S="3600"
    ) as running:
        yield running


def slot_of(stack: Stack, run: str) -> list[psutil.Process]:
    """The processes of the worker that has this run: the main one and its pool child."""
    [name] = [one["name"] for one in stack.get("/workers")["workers"] if one["run"] == run]
    found = stack.processes("worker")
    return [one for one in found if one.environ()["LOSSBOARD_WORKER_NAME"] == name]


def main_of(processes: list[psutil.Process]) -> psutil.Process:
    [main] = [one for one in processes if one.parent() not in processes]
    return main


@pytest.mark.slow
def test_a_run_goes_on_elsewhere_from_where_its_worker_left(stack: Stack) -> None:
    [undisturbed] = stack.wait_ended(stack.submit(long()))
    comparison = stack.submit(long())
    [run] = stack.wait_steps(comparison, 300)
    slot = slot_of(stack, run["id"])
    main_of(slot).terminate()
    [over] = stack.wait_ended(comparison)
    assert (over["state"], over["attempt"]) == ("succeeded", 2)
    assert over["resumed_at"] >= 300
    log: list[str] = stack.get(f"/runs/{run['id']}/log")["lines"]
    assert f"attempt 2 goes on from the checkpoint of step {over['resumed_at']}" in log
    for key in KEYS:
        assert stack.series(over["id"], key) == stack.series(undisturbed["id"], key), key
    assert strikes_of(stack, over) == 0
    assert still_alive(slot, timeout=5) == []


def strikes_of(stack: Stack, run: Json) -> int:
    with sqlite3.connect(stack.data_dir / "lossboard.sqlite") as database:
        [strikes] = database.execute(
            "SELECT strikes FROM run WHERE id = ?", (run["id"],)
        ).fetchone()
    database.close()
    return int(strikes)
