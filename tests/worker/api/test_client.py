"""The slot's client against a small backend over real HTTP."""

import ssl
from collections.abc import Iterator

import httpx
import pytest

from tests.support.backend import TOKEN, Backend
from tests.support.specs import small
from worker.api.client import SLOT_TIMEOUT, Claim, HeartbeatAnswer, SlotApi, http_client
from worker.errors import ApiUnavailableError
from worker.settings import Settings


def client(backend: Backend, token: str = TOKEN) -> SlotApi:
    return SlotApi(Settings(broker_url="", api_url=backend.url, token=token, name="a slot/1"))


@pytest.fixture
def api(backend: Backend) -> Iterator[SlotApi]:
    api = client(backend)
    yield api
    api.close()


def test_no_claim_while_nothing_is_queued(api: SlotApi) -> None:
    assert api.claim() == []


def test_a_claim_carries_the_run(api: SlotApi, backend: Backend) -> None:
    run = backend.queue(small(), seed=3)
    [claim] = api.claim()
    assert (claim.run, claim.attempt, claim.arm, claim.seed) == (run.id, 1, "triplet", 3)
    assert claim.spec == small()
    assert backend.claims[0]["worker"] == "a slot/1"


def test_a_claim_carries_the_runs_to_be_trained_together(api: SlotApi, backend: Backend) -> None:
    runs = backend.queue_together(small(), [3, 4, 5])
    assert [(claim.run, claim.seed) for claim in api.claim()] == [
        (run.id, seed) for run, seed in zip(runs, (3, 4, 5), strict=True)
    ]
    assert backend.claims[0]["most"] == 24


def test_heartbeats_return_the_states_of_the_runs(api: SlotApi, backend: Backend) -> None:
    first, second = backend.queue_together(small(), [0, 1])
    claims = api.claim()
    second.cancel = True
    assert api.heartbeats(claims) == [
        HeartbeatAnswer(current=True, state="running", cancel=cancel) for cancel in (False, True)
    ]
    first.attempt = 2
    assert [answer.over for answer in api.heartbeats(claims)] == [True, False]


def test_a_run_that_no_longer_exists_is_over(api: SlotApi) -> None:
    claim = Claim(run="gone", attempt=1, lease_s=1, comparison="c", arm="a", seed=0, spec={})
    assert api.heartbeats([claim])[0].over


def test_a_refusal_and_a_dead_api_raise(api: SlotApi, backend: Backend) -> None:
    intruder = client(backend, token="wrong")
    with pytest.raises(ApiUnavailableError, match="401"):
        intruder.claim()
    intruder.close()
    backend.shut()
    with pytest.raises(ApiUnavailableError, match="claim"):
        api.claim()
    backend.open()
    assert api.claim() == []


@pytest.mark.parametrize(
    ("url", "verifies"), [("https://a", True), ("HTTPS://a", True), ("http://a", False)]
)
def test_only_an_address_without_tls_goes_unverified(url: str, verifies: bool) -> None:
    settings = Settings(broker_url="redis://b", api_url=url, token=TOKEN, name="w1")
    with http_client(settings, SLOT_TIMEOUT) as client:
        transport = client._transport
        assert isinstance(transport, httpx.HTTPTransport)
        context = transport._pool._ssl_context
        assert context is not None
        assert (context.verify_mode == ssl.CERT_REQUIRED) == verifies
