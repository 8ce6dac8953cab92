"""Keys of metrics that do not exist are named; known ones without points are an empty answer."""

import pytest

from backend.metrics.keys import SERIES_KEYS
from backend.state import Parts
from contract.metrics import METRICS
from tests.backend.helpers import Api, Attempt, check_error, run_now, send
from tests.support.broker import Broker
from tests.support.waiting import until


@pytest.fixture
def run(api: Api) -> str:
    api.submit()
    claim = api.claim()
    assert claim is not None
    return str(claim["run"])


@pytest.mark.parametrize(
    "key",
    [
        "dynamics.loss",
        "test.retrieval.map_at_r",
        "backbone.retrieval.map_at_r",
        "chance.retrieval.map_at_r",
        "run.elapsed_s",
    ],
)
def test_a_known_key_without_points_is_an_empty_answer(api: Api, run: str, key: str) -> None:
    assert api.get("/series", run=run, key=key) == {"series": []}


def test_keys_that_do_not_exist_are_all_named_with_similar_ones(api: Api, run: str) -> None:
    keys = ["retrieval.map_at_rr", "dynamics.loss", 500 * "x"]
    answer = api.http.get("/api/v1/series", params={"run": run, "key": keys})
    near, far = check_error(answer, 422, "invalid_request")["fields"]
    assert near["path"] == far["path"] == "key"
    assert "'retrieval.map_at_rr'; did you mean 'retrieval.map_at_r'" in near["message"]
    assert far["message"] == f"there is no metric {80 * 'x'!r}; GET /catalogue lists them"


def test_a_key_that_another_version_has_stored_is_read(
    api: Api, parts: Parts, broker: Broker, run: str
) -> None:
    attempt = Attempt(run)
    send(broker.client, attempt.started(), attempt.points([0, 1], key="own.of_old"))
    until(lambda: run_now(parts.database, run).committed_seq == 2, "the points")
    [found] = api.get("/series", run=run, key="own.of_old")["series"]
    assert found["steps"] == [0, 1]


def test_every_metric_has_its_key() -> None:
    assert METRICS.keys() <= SERIES_KEYS
