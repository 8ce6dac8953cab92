"""Projections: computed once for all viewers who request them, and as a table."""

import csv
import io
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pytest

from backend.state import Parts
from tests.backend.helpers import Api, check_error
from tests.backend.worker_requests import (
    claim_projection,
    finish_projection,
    get_projection,
    heard_at,
    projection_states,
    report_progress,
    update_projection,
)
from tests.support.snapshots import fill
from tests.support.statements import count_statements

V1 = "/api/v1"
POINTS = 30


@pytest.fixture
def filled(parts: Parts) -> str:
    """A comparison with two arms, two seeds, epochs 0 and 1, 30 samples and no projection yet."""
    return fill(parts.database, parts.blobs, epochs=1, samples=POINTS, projected=False)


@pytest.mark.both_databases
def test_from_the_request_to_the_coordinates(api: Api, parts: Parts, filled: str) -> None:
    assert claim_projection(api) is None
    asked = get_projection(api, filled, seed=1, method="tsne", dims=3)
    assert (asked["state"], asked["progress"], asked["place"]) == ("queued", 0, 1)
    assert (asked["method"], asked["dims"], asked["seed"]) == ("tsne", 3, 1)
    assert (asked["arms"], asked["epochs"]) == (["contrastive", "triplet"], [0, 1])
    assert (asked["n"], asked["coordinates"], asked["earlier"]) == (POINTS, None, None)

    task = claim_projection(api)
    assert task is not None
    assert claim_projection(api) is None
    assert {name: task[name] for name in ("id", "method", "dims", "seed")} == {
        name: asked[name] for name in ("id", "method", "dims", "seed")
    }
    for arm in task["inputs"]:
        assert [one["epoch"] for one in arm["epochs"]] == [0, 1]
        for one in arm["epochs"]:
            held = np.load(io.BytesIO(parts.blobs.read(one["embeddings"])))
            assert held.shape == (POINTS, 16)

    assert report_progress(api, task["id"], 0.25)
    update_projection(parts, task["id"], started_at=heard_at(parts, task["id"]) - 10)
    running = get_projection(api, filled, seed=1, method="tsne", dims=3)
    assert (running["state"], running["progress"]) == ("running", 0.25)
    assert running["eta_s"] == pytest.approx(30, abs=6)

    content = finish_projection(api, task, POINTS)
    ready = get_projection(api, filled, seed=1, method="tsne", dims=3)
    assert (ready["id"], ready["state"], ready["progress"]) == (asked["id"], "ready", 1)
    assert (ready["eta_s"], ready["error"]) == (None, None)
    answer = api.http.get(ready["coordinates"])
    assert answer.content == content
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "immutable" in answer.headers["cache-control"]


def test_every_query_has_its_own_projection(api: Api, filled: str) -> None:
    asked = [
        {"seed": seed, "method": method, "dims": dims}
        for seed in (0, 1)
        for method in ("pca", "tsne", "pacmap")
        for dims in (2, 3)
    ]
    made = [get_projection(api, filled, **one)["id"] for one in asked]
    assert len(set(made)) == 12
    assert [get_projection(api, filled, **one)["id"] for one in asked] == made
    taken = [task["id"] for task in iter(lambda: claim_projection(api), None)]
    quick = [id_ for id_, one in zip(made, asked, strict=True) if one["method"] == "pca"]
    others = [id_ for id_ in made if id_ not in quick]
    assert taken == [*quick, *others]  # PCA takes no time; then the oldest first


def test_pca_has_a_lane_of_its_own(api: Api, filled: str) -> None:
    slow = get_projection(api, filled, method="tsne")
    assert claim_projection(api, "pca") is None
    quick = get_projection(api, filled, method="pca")
    assert quick["place"] == 1, "it does not stand in line behind another method"
    task = claim_projection(api, "tsne", "pacmap")
    assert task is not None
    assert task["id"] == slow["id"]
    assert claim_projection(api, "tsne", "pacmap") is None
    task = claim_projection(api, "pca")
    assert task is not None
    assert task["id"] == quick["id"]
    problem = api.internal("/projections/claim", {"methods": ["umap"]})
    check_error(problem, 422, "invalid_request")


@pytest.mark.both_databases
def test_a_place_in_line_and_the_time_until_it_is_ready(
    api: Api, parts: Parts, filled: str
) -> None:
    def asked(seed: int, method: str = "tsne") -> Any:
        return get_projection(api, filled, seed=seed, method=method)

    done = asked(0, "pacmap")["id"]
    task = claim_projection(api)
    assert task is not None
    finish_projection(api, task, POINTS)
    update_projection(parts, done, started_at=heard_at(parts, done) - 4)  # 4 layouts in 4 s
    running = asked(0)
    assert running["place"] == 1
    claim_projection(api)
    report_progress(api, running["id"], 0.5)
    update_projection(parts, running["id"], started_at=heard_at(parts, running["id"]) - 10)
    second, third = asked(1, "pacmap"), asked(1)
    assert (second["place"], third["place"]) == (2, 3)
    assert second["eta_s"] == pytest.approx(10 + 4, abs=3)
    assert asked(0)["place"] is None
    assert asked(0)["eta_s"] == pytest.approx(10, abs=3)
    alone = 4 * POINTS * 2.5e-3  # nothing by t-SNE has ended: its usual pace
    assert third["eta_s"] == pytest.approx(10 + 4 + alone, abs=3)
    finished = asked(0, "pacmap")
    assert (finished["place"], finished["eta_s"]) == (None, None)


def test_a_place_in_a_long_line_costs_no_more_statements_than_in_a_short_one(
    api: Api, parts: Parts, filled: str
) -> None:
    costs = []
    for dims in (2, 3):
        for method in ("tsne", "pacmap"):
            for seed in (0, 1):
                get_projection(api, filled, seed=seed, method=method, dims=dims)
        with count_statements(parts.database) as sent:
            last = get_projection(api, filled, seed=1, method="pacmap", dims=dims)
        costs.append((last["place"], len(sent)))
    [(short, of_short), (long, of_long)] = costs
    assert (short, long, of_long) == (4, 8, of_short)


@pytest.mark.both_databases
def test_a_cancelled_projection_is_not_computed_until_it_is_started_again(
    api: Api, parts: Parts, filled: str
) -> None:
    url = f"{V1}/comparisons/{filled}/projection"
    asked: dict[str, str | int] = {"seed": 0, "method": "tsne", "dims": 2}
    check_error(api.http.delete(url, params=asked), 404, "not_found")
    waiting = get_projection(api, filled, method="tsne")
    cancelled = api.http.delete(url, params=asked).json()
    assert (cancelled["id"], cancelled["state"]) == (waiting["id"], "cancelled")
    assert claim_projection(api) is None
    update_projection(parts, waiting["id"], heard_at=heard_at(parts, waiting["id"]) - 60)
    assert get_projection(api, filled, method="tsne")["state"] == "cancelled"

    assert api.http.post(url, params=asked).json()["state"] == "queued"
    task = claim_projection(api)
    assert task is not None
    assert report_progress(api, task["id"], 0.5)
    assert api.http.delete(url, params=asked).json()["state"] == "cancelled"
    assert not report_progress(api, task["id"], 0.6)
    finish_projection(api, task, POINTS)  # too late
    assert get_projection(api, filled, method="tsne")["state"] == "cancelled"

    assert api.http.post(url, params=asked).json()["progress"] == 0
    assert api.http.post(url, params=asked).json()["state"] == "queued", "a second one is no other"
    task = claim_projection(api)
    assert task is not None
    finish_projection(api, task, POINTS)
    for call in (api.http.post, api.http.delete):
        assert call(url, params=asked).json()["state"] == "ready", "a result stays"


def test_a_second_request_writes_nothing(
    api: Api, parts: Parts, filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_write() -> AbstractContextManager[Any]:
        raise AssertionError("polling writes")

    asked = get_projection(api, filled)
    task = claim_projection(api)
    assert task is not None
    with monkeypatch.context() as patched:
        patched.setattr(parts.database, "write", no_write)
        running = get_projection(api, filled)
        assert {**running, "eta_s": 0} == {**asked, "state": "running", "place": None, "eta_s": 0}
        assert claim_projection(api) is None
    finish_projection(api, task, POINTS)
    monkeypatch.setattr(parts.database, "write", no_write)
    assert get_projection(api, filled)["state"] == "ready"


@pytest.mark.both_databases
def test_the_table_has_every_coordinate(api: Api, parts: Parts) -> None:
    filled = fill(parts.database, parts.blobs, seeds=1, epochs=1, samples=POINTS)
    asked = get_projection(api, filled, dims=3)
    numbers = np.frombuffer(api.http.get(asked["coordinates"]).content, dtype="<f4")
    points = numbers.reshape(2, 2, POINTS, 3)
    url = f"{V1}/comparisons/{filled}/projection/coordinates.csv"
    answer = api.http.get(url, params={"seed": 0, "method": "pca", "dims": 3})
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="snapshots-pca-3d-seed-0.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(rows[0]) == ["arm", "epoch", "sample", "id", "label", "x", "y", "z"]
    assert len(rows) == 2 * 2 * POINTS
    samples = api.get(f"/comparisons/{filled}/space")["samples"]
    for row in (rows[0], rows[POINTS + 3], rows[-1]):
        arm, sample = asked["arms"].index(row["arm"]), int(row["sample"])
        place = points[arm, asked["epochs"].index(int(row["epoch"])), sample]
        assert [float(row[axis]) for axis in "xyz"] == pytest.approx(place.tolist(), rel=1e-5)
        assert int(row["id"]) == samples["ids"][sample]
        assert row["label"] == samples["classes"][samples["labels"][sample]]
    flat = api.http.get(url, params={"seed": 0, "method": "pca"}).text
    assert flat.splitlines()[0] == "arm,epoch,sample,id,label,x,y"


def test_no_table_before_the_coordinates_are_ready(api: Api, parts: Parts, filled: str) -> None:
    url = f"{V1}/comparisons/{filled}/projection/coordinates.csv?seed=0&method=pca"
    assert "not asked for yet" in check_error(api.http.get(url), 409, "conflict")["message"]
    assert projection_states(parts) == {}
    get_projection(api, filled)
    assert "is queued" in check_error(api.http.get(url), 409, "conflict")["message"]


def test_invalid_queries(api: Api, filled: str) -> None:
    url = f"{V1}/comparisons/{filled}/projection"
    wrong: list[tuple[dict[str, str | int], str]] = [
        ({"method": "pca"}, "seed"),
        ({"seed": 0}, "method"),
        ({"seed": 0, "method": "umap"}, "method"),
        ({"seed": 0, "method": "pca", "dims": 4}, "dims"),
        ({"seed": -1, "method": "pca"}, "seed"),
    ]
    for params, field in wrong:
        body = check_error(api.http.get(url, params=params), 422, "invalid_request")
        assert [problem["path"] for problem in body["fields"]] == [field]
    known: dict[str, str | int] = {"seed": 5, "method": "pca"}
    assert "seed 5" in check_error(api.http.get(url, params=known), 404, "not_found")["message"]
    other = f"{V1}/comparisons/nothing/projection"
    check_error(api.http.get(other, params=known), 404, "not_found")
