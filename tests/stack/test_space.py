"""Snapshots and projections through the whole product: trainer, API, projector, and faults."""

import hashlib

import numpy as np
import pytest

from tests.support.specs import small
from tests.support.stack import Json, Stack
from tests.support.waiting import until

ARMS = [{"name": kind, "loss": {"kind": kind}} for kind in ("contrastive", "triplet")]


@pytest.fixture(scope="module")
def comparison(stack: Stack) -> str:
    """A finished comparison with snapshots of two arms at four epochs."""
    spec = small(
        name="space",
        arms=ARMS,
        training={"epochs": 5, "batch_size": 256},
        measure={"snapshot_every": 2, "snapshot_size": 200},
    )
    made = stack.submit(spec)
    assert {run["state"] for run in stack.wait_ended(made)} == {"succeeded"}
    return made


def projected(stack: Stack, comparison: str, **asked: object) -> Json:
    """Wait for the projection and return it."""

    def ended() -> Json:
        path = f"/comparisons/{comparison}/projection"
        found = stack.get(path, **{"seed": 0, "method": "pca", "dims": 2, **asked})
        return found if found["state"] in {"ready", "failed"} else {}

    return until(ended, "the projection", timeout=60)


def coordinates(stack: Stack, found: Json) -> np.ndarray:
    """Return the coordinates, [arms, epochs, samples, axes]."""
    answer = stack.http.get(found["coordinates"].removeprefix("/api/v1"))
    answer.raise_for_status()
    shape = len(found["arms"]), len(found["epochs"]), found["n"], found["dims"]
    return np.frombuffer(answer.content, dtype="<f4").reshape(shape)


def test_every_run_keeps_the_same_samples_epoch_by_epoch(stack: Stack, comparison: str) -> None:
    space = stack.get(f"/comparisons/{comparison}/space")
    assert [run["epochs"] for run in space["runs"]] == [[0, 2, 4, 5]] * 2
    samples = space["samples"]
    assert (samples["n"], samples["media"]) == (200, "image")
    sprite = stack.http.get(samples["sprite"].removeprefix("/api/v1"))
    assert sprite.headers["content-type"] == "image/png"
    assert samples["sprite"].endswith(hashlib.sha256(sprite.content).hexdigest())


@pytest.mark.slow
@pytest.mark.parametrize("method", ["pca", "tsne", "pacmap"])
def test_the_projector_gives_finite_coordinates_that_are_kept(
    stack: Stack, comparison: str, method: str
) -> None:
    found = projected(stack, comparison, method=method)
    assert (found["state"], found["arms"]) == ("ready", ["contrastive", "triplet"])
    points = coordinates(stack, found)
    assert np.isfinite(points).all()
    assert points.std() > 0
    assert projected(stack, comparison, method=method)["coordinates"] == found["coordinates"]


def test_pca_is_there_before_a_long_tsne_which_can_be_cancelled(
    stack: Stack, comparison: str
) -> None:
    path = f"/comparisons/{comparison}/projection"
    slow: dict[str, str | int] = {"seed": 0, "method": "tsne", "dims": 3}
    stack.get(path, **slow)
    until(lambda: stack.get(path, **slow)["state"] == "running", "the projector to take it")
    assert projected(stack, comparison, dims=2)["state"] == "ready"
    assert stack.get(path, **slow)["state"] == "running"
    cancelled = stack.http.delete(path, params=slow).json()
    assert (cancelled["state"], cancelled["coordinates"]) == ("cancelled", None)
    [projector] = stack.processes("projector")
    until(lambda: not projector.children(), "its process to end")


@pytest.mark.slow
def test_a_projector_that_was_killed_is_followed_by_another(stack: Stack, comparison: str) -> None:
    [projector] = stack.processes("projector")
    stack.kill("projector")
    asked = stack.get(f"/comparisons/{comparison}/projection", seed=0, method="pca", dims=3)
    assert asked["state"] in {"queued", "running"}
    found = projected(stack, comparison, dims=3)
    assert coordinates(stack, found).shape == (2, 4, 200, 3)
    [now] = stack.processes("projector")
    assert now.pid != projector.pid


def test_a_deleted_comparison_takes_its_blobs_with_it(stack: Stack) -> None:
    spec = small(training={"epochs": 1, "batch_size": 256}, measure={"snapshot_size": 123})
    made = stack.submit(spec)
    stack.wait_ended(made)
    found = projected(stack, made)
    digests = [found["coordinates"].rpartition("/")[2]]
    digests.append(stack.get(f"/comparisons/{made}/space")["samples"]["sprite"].rpartition("/")[2])
    files = [stack.data_dir / "blobs" / digest[:2] / digest for digest in digests]
    assert all(path.is_file() for path in files)
    stack.http.delete(f"/comparisons/{made}").raise_for_status()
    until(lambda: not any(path.exists() for path in files), "the blobs to go")


@pytest.mark.slow
def test_an_api_that_dies_amid_a_run_loses_no_snapshot(stack: Stack) -> None:
    spec = small(
        training={"epochs": 60, "batch_size": 64},
        measure={"snapshot_every": 5, "snapshot_size": 100, "evaluate_every": 20},
    )
    made = stack.submit(spec)
    stack.wait_steps(made, 100)
    stack.kill("api")
    [run] = stack.wait_ended(made)
    assert (run["state"], run["attempt"]) == ("succeeded", 1)
    [shown] = stack.get(f"/comparisons/{made}/space")["runs"]
    assert shown["epochs"] == list(range(0, 61, 5))
