"""kill -9 of any process during a run: the run succeeds, with every point exactly once."""

import pytest

from tests.support.specs import endless, long, small
from tests.support.stack import AT_REST, Json, Stack
from tests.support.waiting import until

KEYS = ("dynamics.loss", "dynamics.gradient_norm", "retrieval.map_at_r")
Curves = dict[str, tuple[list[int], list[float | None]]]


def curves(stack: Stack, run: str) -> Curves:
    return {key: stack.series(run, key) for key in KEYS}


@pytest.fixture(scope="module")
def undisturbed(stack: Stack) -> Curves:
    """The curves of the long spec when nothing happens: training on a CPU is deterministic, so a
    run that lost or doubled a point cannot match them."""
    [run] = stack.wait_ended(stack.submit(long()))
    assert run["state"] == "succeeded"
    assert run["attempt"] == 1
    found = curves(stack, run["id"])
    assert found["dynamics.loss"][0] == list(range(2401))
    assert found["dynamics.gradient_norm"][0] == list(range(1, 2401))
    assert found["retrieval.map_at_r"][0] == [0, 800, 1600, 2400]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["trainer", "template", "worker", "api", "broker"])
def test_a_killed_process_costs_no_point(stack: Stack, undisturbed: Curves, victim: str) -> None:
    comparison = stack.submit(long())
    stack.wait_steps(comparison, 300)
    stack.kill(victim)
    [run] = stack.wait_ended(comparison)
    assert run["state"] == "succeeded", run
    assert run["attempt"] == 1 if victim in {"api", "broker"} else run["attempt"] >= 1
    assert curves(stack, run["id"]) == undisturbed
    back = AT_REST & {victim}
    until(lambda: all(stack.processes(kind) for kind in back), f"the {victim} to be back")


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["trainer", "worker", "api"])
def test_a_killed_process_costs_no_point_of_runs_that_are_trained_together(
    stack: Stack, undisturbed: Curves, victim: str
) -> None:
    comparison = stack.submit(long(seeds=[0, 1, 2]))
    running = stack.wait_steps(comparison, 300)
    assert [run["shared"] for run in running] == [3, 3, 3]
    stack.kill(victim)
    first, *others = stack.wait_ended(comparison)
    assert curves(stack, first["id"]) == undisturbed
    for run in others:
        assert run["state"] == "succeeded", run
        for key, (steps, _) in undisturbed.items():
            assert stack.series(run["id"], key)[0] == steps


@pytest.mark.slow
def test_cancel_ends_a_run_and_keeps_its_measurements(stack: Stack) -> None:
    comparison = stack.submit(endless())
    [running] = stack.wait_steps(comparison, 200)
    assert stack.http.post(f"/comparisons/{comparison}/cancel").status_code == 200
    [run] = stack.wait_ended(comparison, timeout=10)
    assert run["state"] == "cancelled"
    assert run["id"] == running["id"]
    steps, _ = stack.series(run["id"], "dynamics.loss")
    assert len(steps) >= 200
    assert steps == list(range(len(steps)))


@pytest.mark.slow
def test_one_message_delivered_three_times_trains_once(stack: Stack) -> None:
    comparison = stack.submit(small())
    for _ in range(2):  # the submit itself sent the first
        stack.wake()
    [run] = stack.wait_ended(comparison)
    assert (run["state"], run["attempt"]) == ("succeeded", 1)
    steps, _ = stack.series(run["id"], "dynamics.loss")
    assert steps == list(range(run["total_steps"] + 1))


@pytest.mark.slow
def test_a_loss_that_becomes_nan_fails_with_its_step_and_keeps_its_curves(stack: Stack) -> None:
    spec = small(
        encoder={"kind": "mlp", "hidden": 64, "layers": 1, "embedding_dim": 16, "normalize": False},
        training={
            "epochs": 8,
            "batch_size": 64,
            "optimizer": {"kind": "sgd", "lr": 100.0},
        },
        arms=[{"name": "contrastive", "loss": {"kind": "contrastive"}}],
    )
    [run] = stack.wait_ended(stack.submit(spec))
    assert run["state"] == "failed"
    error: Json = run["error"]
    assert error["step"] >= 1
    assert "learning rate" in error["cause"]
    steps, values = stack.series(run["id"], "dynamics.loss")
    assert values[0] is not None
    assert len(steps) >= error["step"]


@pytest.mark.slow
def test_arms_start_from_the_same_weights_and_see_the_same_batches(stack: Stack) -> None:
    same = {"kind": "triplet", "margin": 0.5}
    spec = small(arms=[{"name": name, "loss": same} for name in ("one", "two")])
    one, two = stack.wait_ended(stack.submit(spec))
    assert curves(stack, one["id"]) == curves(stack, two["id"])
