"""Projections that lose their projector, blobs or comparison, or that newer snapshots replace."""

import pytest

from backend.db.models import Projection, Run
from backend.state import Parts
from tests.backend.helpers import Api, Attempt, check_error, claim, submit
from tests.backend.scripted_runs import PAIR
from tests.backend.worker_requests import (
    claim_projection,
    digest_of,
    end_projection,
    finish_projection,
    get_projection,
    heard_at,
    on_disk,
    projection_states,
    put_snapshots,
    report_progress,
    store_blob,
    store_snapshot_events,
    update_projection,
)
from tests.support.snapshots import fill

V1 = "/api/v1"
POINTS = 30


@pytest.fixture
def filled(parts: Parts) -> str:
    """A comparison with two arms, two seeds, epochs 0 and 1, 30 samples and no projection yet."""
    return fill(parts.database, parts.blobs, epochs=1, samples=POINTS, projected=False)


def test_a_silent_projector_loses_its_projection(api: Api, parts: Parts, filled: str) -> None:
    get_projection(api, filled)
    task = claim_projection(api)
    assert task is not None
    update_projection(parts, task["id"], heard_at=heard_at(parts, task["id"]) - 25)
    assert claim_projection(api) is None
    assert report_progress(api, task["id"], 0.5)  # heard of: 25 s more do not matter
    update_projection(parts, task["id"], heard_at=heard_at(parts, task["id"]) - 31)
    again = claim_projection(api)
    assert again == task
    assert get_projection(api, filled)["progress"] == 0
    finish_projection(api, task, POINTS)
    before = get_projection(api, filled)["coordinates"]
    end_projection(api, task["id"], error="too late")  # the one that was lost comes back
    end_projection(api, task["id"], digest=store_blob(api.http, b"other coordinates"))
    assert digest_of(b"other coordinates") not in on_disk(parts.blobs)
    after = get_projection(api, filled)
    assert (after["state"], after["coordinates"]) == ("ready", before)
    assert not report_progress(api, task["id"], 0.9)


def test_a_failed_projection_may_be_requested_again_after_a_while(
    api: Api, parts: Parts, filled: str
) -> None:
    get_projection(api, filled)
    task = claim_projection(api)
    assert task is not None
    end_projection(api, task["id"], error="MemoryError: too many points")
    failed = get_projection(api, filled)
    assert (failed["state"], failed["error"]) == ("failed", "MemoryError: too many points")
    assert claim_projection(api) is None
    update_projection(parts, task["id"], heard_at=heard_at(parts, task["id"]) - 31)
    again = get_projection(api, filled)
    assert (again["id"], again["state"], again["error"]) == (failed["id"], "queued", None)
    assert claim_projection(api) == task
    finish_projection(api, task, POINTS)
    assert get_projection(api, filled)["state"] == "ready"


def test_an_end_has_a_digest_or_an_error(api: Api, filled: str) -> None:
    projection = get_projection(api, filled)["id"]
    claim_projection(api)
    for body in ({}, {"digest": "0" * 64, "error": "x"}, {"digest": "short"}, {"error": ""}):
        check_error(api.internal(f"/projections/{projection}/end", body), 422, "invalid_request")
    check_error(
        api.internal(f"/projections/{projection}/progress", {"progress": 1.5}),
        422,
        "invalid_request",
    )
    assert get_projection(api, filled)["state"] == "running"
    end_projection(api, "nothing", error="x")
    assert not report_progress(api, "nothing", 0.5)


@pytest.mark.parametrize("absent", [True, False])
def test_coordinates_of_a_wrong_size_fail_the_projection(
    api: Api, parts: Parts, filled: str, absent: bool
) -> None:
    get_projection(api, filled)
    task = claim_projection(api)
    assert task is not None
    end_projection(api, task["id"], digest="0" * 64 if absent else store_blob(api.http, bytes(8)))
    failed = get_projection(api, filled)
    assert (failed["state"], failed["coordinates"]) == ("failed", None)
    said = "is not on the API's disk" if absent else "have 8 bytes; those of all samples have 960"
    assert said in failed["error"]


def test_a_projection_without_its_embeddings_fails_and_the_next_is_claimed(
    api: Api, parts: Parts, filled: str
) -> None:
    get_projection(api, filled)
    waiting = get_projection(api, filled, seed=1)
    with parts.database.read() as session:
        row = session.get(Projection, get_projection(api, filled)["id"])
        assert row is not None
        parts.blobs.delete([row.inputs[1]["epochs"][1]["embeddings"]], before=1e12)
    task = claim_projection(api)
    assert task is not None
    assert task["id"] == waiting["id"]
    failed = get_projection(api, filled)
    assert failed["state"] == "failed"
    assert "the embeddings of 'triplet' at epoch 1 are not" in failed["error"]


def test_a_comparison_that_is_deleted_while_it_is_projected(
    api: Api, parts: Parts, filled: str
) -> None:
    get_projection(api, filled)
    task = claim_projection(api)
    assert task is not None
    assert report_progress(api, task["id"], 0.5)
    assert api.http.delete(f"{V1}/comparisons/{filled}").status_code == 204
    assert not report_progress(api, task["id"], 0.6)
    finish_projection(api, task, POINTS)
    assert claim_projection(api) is None
    assert projection_states(parts) == {}
    assert on_disk(parts.blobs) == {}


def two_running(parts: Parts) -> tuple[Run, Run]:
    """Return the runs of two arms of one seed."""
    submit(parts.database, arms=list(PAIR))
    first, second = claim(parts.database), claim(parts.database)
    assert first is not None
    assert second is not None
    return first, second


def test_only_epochs_that_all_arms_have_are_projected(api: Api, parts: Parts) -> None:
    first, second = two_running(parts)
    comparison = first.comparison_id
    url = f"{V1}/comparisons/{comparison}/projection?seed=0&method=pca"
    assert "no snapshots of seed 0" in check_error(api.http.get(url), 404, "not_found")["message"]
    # The second arm's come first; the spec's order holds all the same.
    store_snapshot_events(
        parts.database, Attempt(second.id), put_snapshots(parts.blobs, second, [0, 4, 2])
    )
    alone = get_projection(api, comparison)
    assert (alone["arms"], alone["epochs"]) == (["rank"], [0, 2, 4])
    store_snapshot_events(
        parts.database, Attempt(first.id), put_snapshots(parts.blobs, first, [0, 2, 3])
    )
    both = get_projection(api, comparison)
    assert (both["arms"], both["epochs"]) == (["pull", "rank"], [0, 2])
    assert projection_states(parts) == {both["id"]: "queued"}  # it took the other's place
    task = claim_projection(api)
    assert task is not None
    assert [[one["epoch"] for one in arm["epochs"]] for arm in task["inputs"]] == [[0, 2], [0, 2]]


def test_newer_snapshots_make_a_new_projection_that_replaces_the_old_when_ready(
    api: Api, parts: Parts
) -> None:
    run, _ = two_running(parts)
    comparison = run.comparison_id
    attempt = Attempt(run.id)
    [first, second, third] = put_snapshots(parts.blobs, run, [0, 2, 4])
    store_snapshot_events(parts.database, attempt, [first])
    other = get_projection(api, comparison, method="tsne")["id"]
    old = get_projection(api, comparison)
    task = claim_projection(api)
    claim_projection(api)
    assert task is not None
    assert task["id"] == old["id"]
    finish_projection(api, task, 40)
    old = get_projection(api, comparison)

    store_snapshot_events(parts.database, attempt, [second])
    new = get_projection(api, comparison)
    assert (new["state"], new["epochs"], new["coordinates"]) == ("queued", [0, 2], None)
    fields = ("id", "n", "epochs", "arms", "coordinates")
    assert new["earlier"] == {name: old[name] for name in fields}
    assert api.http.get(new["earlier"]["coordinates"]).status_code == 200
    task = claim_projection(api)
    assert task is not None

    store_snapshot_events(parts.database, attempt, [third])  # the one under way is not given up
    newest = get_projection(api, comparison)
    assert newest["epochs"] == [0, 2, 4]
    assert report_progress(api, task["id"], 0.5)
    finish_projection(api, task, 40)
    assert projection_states(parts)[newest["id"]] == "queued"  # only what is older went
    assert get_projection(api, comparison)["earlier"]["id"] == new["id"]
    assert old["id"] not in projection_states(parts)
    assert old["coordinates"].split("/")[-1] not in on_disk(parts.blobs)
    check_error(api.http.get(old["coordinates"]), 404, "not_found")

    task = claim_projection(api)
    assert task is not None
    assert task["id"] == newest["id"]
    finish_projection(api, task, 40)
    ready = get_projection(api, comparison)
    assert (ready["state"], ready["earlier"]) == ("ready", None)
    assert projection_states(parts) == {
        newest["id"]: "ready",
        other: "running",
    }  # another question's stays
