"""No token is repeated in an answer or a log line, wherever it was sent."""

import logging
from collections.abc import Iterator

import httpx
import pytest

from backend.auth.access import AccessTokens
from backend.auth.tokens import TokenRedactor, Tokens
from backend.settings import Settings
from tests.backend.conftest import Serve
from tests.backend.helpers import check_error
from tests.backend.token_users import ENTRIES, TOKENS, call_as, with_tokens
from tests.support.specs import small

WORKER = "the-secret-of-api-and-workers"
ALL = [*TOKENS.values(), WORKER]


@pytest.fixture
def secured(serve: Serve, settings: Settings) -> Iterator[httpx.Client]:
    with_secret = Settings(
        settings.data_dir, settings.database_url, settings.redis_url, worker_token=WORKER
    )
    with serve(with_tokens(with_secret)) as (api, _):
        yield api.http


@pytest.mark.parametrize("token", ALL)
def test_an_error_that_repeats_the_request_leaves_the_token_out(
    secured: httpx.Client, token: str
) -> None:
    bad = small(arms=[{"name": token, "loss": {"kind": token, "margin": -1}}], seeds=[token])
    answers = [
        call_as(secured, "editor", "GET", f"/runs/{token}"),
        call_as(secured, "editor", "GET", "/series", params={"run": token}),
        call_as(secured, "editor", "GET", "/arms/values", params={"arm": "a~b", "key": token}),
        call_as(secured, "editor", "GET", "/comparisons", params={"state": token, "page": token}),
        call_as(secured, "editor", "POST", "/comparisons", json=bad),
        call_as(secured, "editor", "POST", "/comparisons", json=small(**{token: 1})),
        call_as(secured, "editor", "POST", "/comparisons", content=token),
        call_as(secured, "editor", "GET", f"/{token}?token={token}"),
        secured.get(f"/api/v1/runs/{token}", headers={"Authorization": f"Basic {token}"}),
        secured.post(f"/api/v1/internal/claim?token={token}", headers={"Cookie": token}),
    ]
    assert {answer.status_code for answer in answers} == {401, 404, 422}
    for answer in answers:
        check_error(answer, answer.status_code, answer.json()["error"])
        assert token not in answer.text
    assert "there is no run '[a token]'" in answers[0].text
    assert int(answers[0].headers["content-length"]) == len(answers[0].content)


def test_log_lines_hold_no_token_and_other_words_stay() -> None:
    redactor = TokenRedactor(AccessTokens(Tokens.parse(ENTRIES)), WORKER)
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    logger = logging.getLogger("uvicorn.error")
    handler = Kept()
    logger.addHandler(handler)
    try:
        for _ in range(2):  # the second time as another app in this process
            redactor.redact_logs()
        try:
            raise RuntimeError(f"parameters: ('{WORKER}',)")
        except RuntimeError:
            logger.exception("GET /x?token=%s failed in a-quite-long-but-plain-word", ALL[0])
    finally:
        logger.removeHandler(handler)
    [line] = lines
    assert [token for token in ALL if token in line] == []
    assert "?token=[a token] failed in a-quite-long-but-plain-word" in line
    assert "RuntimeError: parameters: ('[a token]',)" in line
