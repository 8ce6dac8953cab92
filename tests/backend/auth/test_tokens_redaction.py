"""No token is repeated in an answer or a log line, wherever it was sent."""

import logging
from collections.abc import Iterator

import httpx
import pytest

from backend.auth.access import AccessTokens
from backend.auth.redaction import TokenRedactor
from backend.auth.tokens import Tokens, create_token
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


@pytest.fixture
def redactor() -> TokenRedactor:
    tokens = Tokens.parse(ENTRIES)
    return TokenRedactor(AccessTokens(tokens), WORKER, tokens.lengths)


@pytest.mark.parametrize("token", ALL)
@pytest.mark.parametrize(
    "around",
    [
        *(
            "x{}y",
            "{}{}",
            "20{}",
            "_{}-",
            "https://x/?a=1&token={}&b",
            "a%20{}%20b",
            "%3D{}",
            "%{}",
        ),
        *('{{"key": "a\\n{}\\t"}}', "('{}',)", "b" * 60 + "{}", "b" * 400 + "{}" + "c" * 400),
    ],
)
def test_a_token_among_other_characters_is_hidden(
    redactor: TokenRedactor, token: str, around: str
) -> None:
    shown = redactor.redact(around.replace("{}", token))
    assert token not in shown
    assert shown == around.replace("{}", "[a token]")


@pytest.mark.parametrize("token", ALL)
def test_a_percent_encoded_token_is_hidden(redactor: TokenRedactor, token: str) -> None:
    whole = "".join(f"%{ord(one):02x}" for one in token)
    dashes = token.replace("-", "%2D")
    for encoded in (whole, dashes, token[:5] + whole[15:]):
        assert redactor.redact(f"GET /x%20{encoded}%20y") == "GET /x%20[a token]%20y"


def test_tokens_given_by_their_hash_are_hidden_among_other_characters() -> None:
    made, entry = create_token("Ada", "viewer")
    redactor = TokenRedactor(AccessTokens(Tokens.parse(entry)), WORKER)
    for around in ("x{}y", "b" * 400 + "{}" + "c" * 400):
        assert redactor.redact(around.replace("{}", made)) == around.replace("{}", "[a token]")


def test_texts_without_tokens_stay_and_of_endless_words_only_the_length(
    redactor: TokenRedactor,
) -> None:
    texts = ["", "100 %", "%zz%", "a%20b" * 100, "0123456789abcdef" * 4, "/x?y=" + "ab" * 40]
    assert [redactor.redact(text) for text in texts] == texts
    long = "a" * 2_000_000 + "%20" + WORKER
    assert redactor.redact(long) == "[2000000 characters]%20[a token]"


def test_an_error_hides_a_token_inside_a_longer_word(secured: httpx.Client) -> None:
    for token in ALL:
        for asked in (f"x{token}y", f"a%20{token}", token.replace("-", "%2D") + "%3D"):
            answer = call_as(secured, "editor", "GET", f"/runs/{asked}")
            assert answer.status_code == 404
            assert token not in answer.text
            assert "[a token]" in answer.text
