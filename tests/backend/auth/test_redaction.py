"""No token comes back, wherever somebody put it."""

import logging
from collections.abc import Iterator

import httpx
import pytest

from backend.auth.tokens import TokenRedactor, Tokens
from backend.settings import Settings
from tests.backend.conftest import Serve
from tests.backend.people import ENTRIES, TOKENS, ask, locked
from tests.backend.test_errors import check
from tests.support.specs import small

WORKER = "the-secret-of-api-and-workers"
ALL = [*TOKENS.values(), WORKER]


@pytest.fixture
def house(serve: Serve, settings: Settings) -> Iterator[httpx.Client]:
    with_secret = Settings(
        settings.data_dir, settings.database_url, settings.redis_url, worker_token=WORKER
    )
    with serve(locked(with_secret)) as (api, _):
        yield api.http


@pytest.mark.parametrize("token", ALL)
def test_an_error_that_repeats_what_was_sent_leaves_it_out(house: httpx.Client, token: str) -> None:
    bad = small(arms=[{"name": token, "loss": {"kind": token, "margin": -1}}], seeds=[token])
    answers = [
        ask(house, "editor", "GET", f"/runs/{token}"),
        ask(house, "editor", "GET", "/series", params={"run": token}),
        ask(house, "editor", "GET", "/arms/values", params={"arm": "a~b", "key": token}),
        ask(house, "editor", "GET", "/comparisons", params={"state": token, "page": token}),
        ask(house, "editor", "POST", "/comparisons", json=bad),
        ask(house, "editor", "POST", "/comparisons", json=small(**{token: 1})),
        ask(house, "editor", "POST", "/comparisons", content=token),
        ask(house, "editor", "GET", f"/{token}?token={token}"),
        house.get(f"/api/v1/runs/{token}", headers={"Authorization": f"Basic {token}"}),
        house.post(f"/api/v1/internal/claim?token={token}", headers={"Cookie": token}),
    ]
    assert {answer.status_code for answer in answers} == {401, 404, 422}
    for answer in answers:
        check(answer, answer.status_code, answer.json()["error"])
        assert token not in answer.text
    assert "there is no run '[a token]'" in answers[0].text
    assert int(answers[0].headers["content-length"]) == len(answers[0].content)


def test_no_log_line_has_one_and_other_words_stay() -> None:
    redactor = TokenRedactor.for_tokens(Tokens.parse(ENTRIES), WORKER)
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    logger = logging.getLogger("uvicorn.error")
    handler = Kept()
    logger.addHandler(handler)
    try:
        for _ in range(2):  # another app in this process
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
