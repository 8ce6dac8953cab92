"""kill -9 after a checkpoint: the next attempt continues from it, with the same results."""

from collections.abc import Iterator
from typing import Final

import pytest

from contract.metrics import TEST_PREFIX
from tests.support.specs import endless, long
from tests.support.stack import Json, Stack, running_stack
from tests.support.waiting import until

pytestmark = pytest.mark.slow

EVERY_S: Final = "0.3"
KEY: Final = "dynamics.loss"
SPEC: Final = long(
    encoder={"kind": "convnet", "channels": 4, "embedding_dim": 8},
    training={
        "epochs": 60,
        "batch_size": 64,
        "augmentation": "flip_shift",
        "sampler": {"kind": "m_per_class", "m": 8},
    },
    measure={"evaluate_every": 7, "snapshot_every": 10, "snapshot_size": 100},
    arms=[{"name": "drawn", "loss": {"kind": "triplet", "selection": "distance_weighted"}}],
)

Curves = dict[str, tuple[list[int], list[float | None]]]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A product whose trainers take checkpoints often."""
    data = tmp_path_factory.mktemp("checkpoints") / "data"
    with running_stack(
        data, "--no-demo", "--workers", "1", LOSSBOARD_CHECKPOINT_S=EVERY_S
    ) as running:
        yield running


def curves(stack: Stack, run: str) -> Curves:
    """Return every series except those of the clock, which differ between any two runs."""
    found = stack.get("/series", run=run, max_points=100_000)["series"]
    curves = {one["key"]: (one["steps"], one["values"]) for one in found}
    _, elapsed = curves.pop("run.elapsed_s")
    assert elapsed == sorted(elapsed)  # it counts on across attempts
    return curves


def epochs_of(stack: Stack, comparison: str) -> list[int]:
    [run] = stack.get(f"/comparisons/{comparison}/space")["runs"]
    epochs: list[int] = run["epochs"]
    return epochs


@pytest.fixture(scope="module")
def undisturbed(stack: Stack) -> Curves:
    [run] = stack.wait_ended(stack.submit(SPEC))
    assert (run["state"], run["attempt"], run["resumed_at"]) == ("succeeded", 1, 0)
    found = curves(stack, run["id"])
    assert found[KEY][0] == list(range(run["total_steps"] + 1))
    assert any(key.startswith(TEST_PREFIX) for key in found)
    return found


def digests(stack: Stack) -> set[str]:
    return {path.name for path in stack.checkpoints()}


def only_checkpoint(stack: Stack, *, but: frozenset[str] = frozenset()) -> str:
    """Wait until only the newest checkpoint is left, so that it is stored and named; return it."""

    def alone() -> list[str]:
        found = digests(stack)
        return sorted(found) if len(found) == 1 and not found & but else []

    [digest] = until(alone, "a checkpoint alone")
    return digest


def wait_for_the_next_checkpoint(stack: Stack) -> None:
    """Wait for a new checkpoint, so that the trainer is stopped well before the next one."""
    only_checkpoint(stack, but=frozenset(digests(stack)))


@pytest.mark.parametrize("victim", ["trainer", "template", "worker"])
def test_the_next_attempt_goes_on_from_the_checkpoint(
    stack: Stack, undisturbed: Curves, victim: str
) -> None:
    comparison = stack.submit(SPEC)
    stack.wait_steps(comparison, 300)
    wait_for_the_next_checkpoint(stack)
    stack.kill(victim)
    [run] = stack.wait_ended(comparison)
    assert run["state"] == "succeeded", run
    assert run["attempt"] == 2
    assert run["resumed_at"] > 0
    assert curves(stack, run["id"]) == undisturbed
    assert epochs_of(stack, comparison) == [0, 10, 20, 30, 40, 50, 60]
    log = stack.get(f"/runs/{run['id']}/log")["lines"]
    assert f"attempt 2 goes on from the checkpoint of step {run['resumed_at']}" in log
    until(lambda: not stack.checkpoints(), "the checkpoint to go with the success")


def test_a_damaged_checkpoint_is_reported_and_the_run_starts_over(
    stack: Stack, undisturbed: Curves
) -> None:
    comparison = stack.submit(SPEC)
    stack.wait_steps(comparison, 300)
    wait_for_the_next_checkpoint(stack)
    stack.http.post(f"/comparisons/{comparison}/cancel").raise_for_status()
    stack.wait_ended(comparison)
    digest = only_checkpoint(stack)
    (stack.data_dir / "blobs" / digest[:2] / digest).write_bytes(b"PK, but no more")
    stack.http.post(f"/comparisons/{comparison}/retry").raise_for_status()
    [run] = stack.wait_ended(comparison)
    assert (run["state"], run["attempt"], run["resumed_at"]) == ("succeeded", 2, 0)
    assert curves(stack, run["id"]) == undisturbed
    log = stack.get(f"/runs/{run['id']}/log")["lines"]
    assert any("so the run starts over" in line and "damaged" in line for line in log)


def test_a_cancelled_run_goes_on_when_it_is_retried(stack: Stack) -> None:
    comparison = stack.submit(endless())
    stack.wait_steps(comparison, 300)
    wait_for_the_next_checkpoint(stack)
    stack.http.post(f"/comparisons/{comparison}/cancel").raise_for_status()
    stack.wait_ended(comparison)
    stack.http.post(f"/comparisons/{comparison}/retry").raise_for_status()

    def gone_on() -> Json | None:
        [run] = stack.runs(comparison) or [{}]
        further = run and run["resumed_at"] and run["step"] > run["resumed_at"]
        return run if further and run["state"] == "running" else None

    run = until(gone_on, "the retry to go on")
    assert run is not None
    assert run["attempt"] == 2
    steps, _ = stack.series(run["id"], KEY)
    assert steps == list(range(len(steps)))
    assert stack.http.delete(f"/comparisons/{comparison}").status_code == 204
    until(lambda: not stack.checkpoints(), "the checkpoint to go with the comparison")
