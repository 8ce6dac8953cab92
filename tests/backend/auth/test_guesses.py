"""Wrong tokens are counted by address: after ten within a minute no more are checked."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from backend.auth import guesses as module
from backend.auth.guesses import MAX_WRONG, WITHIN_S, Guesses
from backend.auth.tokens import Tokens, create_token
from backend.settings import Settings
from tests.backend.conftest import Serve
from tests.backend.helpers import TOKEN, check_error
from tests.backend.token_users import TOKENS, bearer, with_tokens

UI = {"X-Lossboard-UI": "between-us"}
WRONG = [f"wrong-token-{n:012}" for n in range(MAX_WRONG)]


@pytest.fixture
def http(serve: Serve, settings: Settings) -> Iterator[httpx.Client]:
    with serve(replace(with_tokens(settings), ui_secret="between-us")) as (api, _):
        yield api.http


def ask(http: httpx.Client, token: str, **headers: str) -> httpx.Response:
    return http.get("/api/v1/me", headers={**bearer(token), **headers})


def test_after_ten_wrong_tokens_the_address_waits_and_who_was_in_stays_in(
    http: httpx.Client,
) -> None:
    assert ask(http, TOKENS["editor"]).status_code == 200
    for token in WRONG:
        check_error(ask(http, token), 401, "unauthorized")
    for token in ("another-wrong-token-0123", TOKENS["viewer"]):
        refused = ask(http, token)
        assert "try again in" in check_error(refused, 429, "too_fast")["message"]
        assert 0 < int(refused.headers["retry-after"]) <= WITHIN_S
    assert ask(http, TOKENS["editor"]).status_code == 200, "it was accepted from here before"
    assert http.get("/api/v1/health/live").status_code == 200
    check_error(http.get("/api/v1/me"), 401, "unauthorized")


def test_a_token_of_full_length_is_accepted_at_any_time(serve: Serve, settings: Settings) -> None:
    made, entry = create_token("Ada", "viewer")
    with serve(replace(settings, tokens=Tokens.parse(entry))) as (api, _):
        for token in WRONG:
            ask(api.http, token)
        assert ask(api.http, create_token("Eve", "admin")[0]).status_code == 429
        assert ask(api.http, made).status_code == 200


def test_nobody_gets_another_address_by_a_header(http: httpx.Client) -> None:
    for n, token in enumerate(WRONG):
        ask(http, token, **{"X-Forwarded-For": f"1.2.3.{n}"})
    chosen = {"X-Forwarded-For": "9.9.9.9"}
    assert ask(http, "another-wrong-token-0123", **chosen).status_code == 429
    assert ask(http, TOKENS["viewer"], **chosen, **{"X-Lossboard-UI": "x"}).status_code == 429


def test_visitors_of_the_ui_are_told_apart(http: httpx.Client) -> None:
    for token in WRONG:
        ask(http, token, **UI, **{"X-Forwarded-For": "1.2.3.4"})
    assert ask(http, TOKENS["viewer"], **UI, **{"X-Forwarded-For": "1.2.3.4"}).status_code == 429
    assert ask(http, TOKENS["viewer"], **UI, **{"X-Forwarded-For": "1.2.3.5"}).status_code == 200
    assert ask(http, TOKENS["viewer"]).status_code == 200


def test_pages_of_signed_in_people_go_on_while_others_on_the_machine_guess(
    http: httpx.Client,
) -> None:
    for token in WRONG:
        ask(http, token)
    assert ask(http, TOKENS["viewer"]).status_code == 429
    assert ask(http, TOKENS["viewer"], **UI).status_code == 200


def test_guesses_of_the_worker_token_are_limited_and_workers_are_not(http: httpx.Client) -> None:
    def claim(token: str) -> httpx.Response:
        body = {"worker": "w1", "device": "cpu"}
        return http.post("/api/v1/internal/claim", json=body, headers=bearer(token))

    for token in WRONG:
        check_error(claim(token), 401, "unauthorized")
    check_error(claim("another-wrong-token-0123"), 429, "too_fast")
    assert claim(TOKEN).status_code in {200, 204, 422}


def test_a_token_sent_again_and_again_hurts_nobody_else(http: httpx.Client) -> None:
    for _ in range(MAX_WRONG):
        assert ask(http, WRONG[0]).status_code == 401
    assert ask(http, WRONG[0]).status_code == 429
    assert ask(http, TOKENS["viewer"]).status_code == 200


def test_what_is_remembered_ends_after_a_minute_and_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 50)
    now = 0.0
    guesses = Guesses(lambda: now)
    for token in WRONG:
        assert guesses.wait_s("a", token) == 0
        guesses.failed("a", token)
        now += 1
    assert guesses.wait_s("a", "x") == WITHIN_S - MAX_WRONG
    assert guesses.wait_s("b", "x") == 0
    now = WITHIN_S
    assert guesses.wait_s("a", "x") == 0
    for n in range(1000):
        guesses.failed(f"address {n}", "x")
        guesses.passed(f"address {n}", "Ada")
    kept = guesses._addresses, guesses._tokens, guesses._accepted
    assert [len(one) for one in kept] == [50, 50, 50]
    assert guesses.knows("address 999", "Ada")
    assert not guesses.knows("address 999", "Eve")
