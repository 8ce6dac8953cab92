"""The processes of docker-compose.yml with a real redis-server, which is also stopped."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.redis_server import RedisServer
from tests.support.specs import long, small
from tests.support.stack import Stack, running_stack
from tests.support.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def on_redis(server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data = tmp_path_factory.mktemp("on_redis") / "data"
    with running_stack(data, "--no-demo", REDIS_URL=server.url) as stack:
        yield stack


def test_a_given_redis_is_used_and_no_broker_is_started(on_redis: Stack) -> None:
    [run] = on_redis.wait_ended(on_redis.submit(small()))
    assert run["state"] == "succeeded"
    assert on_redis.processes("broker") == []


def test_a_comparison_submitted_without_a_broker_is_kept_and_sent_later(
    on_redis: Stack, server: RedisServer
) -> None:
    server.stop()
    comparison = on_redis.submit(small())
    [run] = on_redis.runs(comparison)
    # A slot that looks for more after its last run may have claimed it over HTTP.
    assert run["state"] in {"queued", "running"}

    def unready() -> bool:
        return httpx.get(f"{on_redis.api_url}/health/ready").status_code == 503

    until(unready, "readiness to tell that the broker is away")
    server.start()
    [run] = on_redis.wait_ended(comparison)
    assert run["state"] == "succeeded"


def test_a_broker_that_loses_everything_in_mid_run_costs_no_point(
    on_redis: Stack, server: RedisServer
) -> None:
    comparison = on_redis.submit(long())
    on_redis.wait_steps(comparison, 300)
    server.stop()
    server.start()
    [run] = on_redis.wait_ended(comparison)
    assert run["state"] == "succeeded"
    assert run["attempt"] == 1
    steps, _ = on_redis.series(run["id"], "dynamics.loss")
    assert steps == list(range(2401))
