"""The sign-in of the UI's server, between a viewer's client and the real API."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from backend.app import create_app
from backend.auth.tokens import NO_TOKENS
from backend.settings import Settings
from frontend.server.proxy import safe_path
from frontend.server.sessions import COOKIE, IDLE_S, Person
from frontend.server.signin import MOST_FAILED, WITHIN_S, Attempts
from tests.backend.token_users import TOKENS, with_tokens
from tests.support.front import Front
from tests.support.ports import free_ports
from tests.support.serving import serving
from tests.support.specs import small

HTML = {"Accept": "text/html"}


@pytest.fixture
def settings(tmp_path: Path, broker_url: str) -> Settings:
    url = f"sqlite:///{tmp_path / 'lossboard.sqlite'}"
    return with_tokens(Settings(tmp_path, url, broker_url, "secret"))


@pytest.fixture
def ui(settings: Settings) -> Iterator[tuple[httpx.Client, Front]]:
    """A viewer's HTTP client at the UI of an API with tokens."""
    with serving(create_app(settings)) as api_url:
        front = Front(api_url)
        with (
            serving(front.app()) as ui_url,
            httpx.Client(base_url=ui_url, timeout=60, trust_env=False) as viewer,
        ):
            viewer.headers["Origin"] = ui_url
            yield viewer, front
            front.proxy.close()


def sign_in(
    viewer: httpx.Client, token: str, next_path: str = "/", **headers: str
) -> httpx.Response:
    return viewer.post("/signin", data={"token": token, "next": next_path}, headers=headers)


def test_a_page_redirects_to_the_sign_in_and_the_sign_in_back(
    ui: tuple[httpx.Client, Front],
) -> None:
    viewer, _ = ui
    led = viewer.get("/comparison?id=c1&x=time", headers=HTML)
    assert (led.status_code, led.headers["cache-control"]) == (303, "no-store")
    assert led.headers["location"] == "/signin?next=%2Fcomparison%3Fid%3Dc1%26x%3Dtime"
    shown = viewer.get(led.headers["location"])
    assert 'value="/comparison?id=c1&amp;x=time"' in shown.text
    done = sign_in(viewer, TOKENS["viewer"], "/comparison?id=c1&x=time")
    assert (done.status_code, done.headers["location"]) == (303, "/comparison?id=c1&x=time")
    cookie = done.headers["set-cookie"]
    for word in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=604800"):
        assert word in cookie
    assert "Secure" not in cookie
    assert TOKENS["viewer"] not in cookie
    assert viewer.get("/comparison?id=c1", headers=HTML).text == "the page /comparison"
    assert viewer.get("/signin?next=/queue").headers["location"] == "/queue"


def test_calls_carry_the_token_of_the_session(ui: tuple[httpx.Client, Front]) -> None:
    viewer, _ = ui
    assert viewer.get("/api/v1/me").status_code == 401
    sign_in(viewer, TOKENS["editor"])
    assert viewer.get("/api/v1/me").json()["name"] == "Edda"
    made = viewer.post("/api/v1/comparisons", json=small()).json()
    assert made["created_by"] == "Edda"
    with viewer.stream("GET", f"/api/v1/comparisons/{made['id']}/live") as answer:
        assert answer.status_code == 200
        assert next(answer.iter_lines())
    own = {"Authorization": f"Bearer {TOKENS['admin']}"}
    assert viewer.get("/api/v1/me", headers=own).json()["name"] == "Adam", (
        "a program's own goes first"
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_site_cannot_use_the_cookie(
    ui: tuple[httpx.Client, Front], headers: dict[str, str]
) -> None:
    viewer, _ = ui
    sign_in(viewer, TOKENS["editor"])
    answer = viewer.post("/api/v1/comparisons", json=small(), headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
    assert viewer.get("/api/v1/comparisons").json()["total"] == 0
    assert viewer.post("/signout", headers=headers).status_code == 403
    assert viewer.get("/api/v1/me").status_code == 200
    assert sign_in(viewer, TOKENS["viewer"], **headers).status_code == 403
    assert viewer.get("/api/v1/me").json()["name"] == "Edda"


def test_a_cookie_needs_proof_of_origin_a_token_none(
    ui: tuple[httpx.Client, Front],
) -> None:
    viewer, _ = ui
    sign_in(viewer, TOKENS["editor"])
    del viewer.headers["Origin"]
    assert viewer.post("/api/v1/comparisons", json=small()).status_code == 403
    own = {"Authorization": f"Bearer {TOKENS['editor']}"}
    assert viewer.post("/api/v1/comparisons", json=small(), headers=own).status_code == 201


def test_signing_out_ends_the_session(ui: tuple[httpx.Client, Front]) -> None:
    viewer, _ = ui
    sign_in(viewer, TOKENS["editor"])
    kept = viewer.cookies[COOKIE]
    out = viewer.post("/signout")
    assert (out.status_code, out.headers["location"]) == (303, "/signin")
    assert COOKIE not in viewer.cookies
    viewer.cookies[COOKIE] = kept
    assert viewer.get("/api/v1/me").status_code == 401
    assert viewer.post("/signout").status_code == 303


def test_signing_out_ends_the_live_streams_of_other_tabs(
    ui: tuple[httpx.Client, Front], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("frontend.server.proxy.SESSION_CHECK_S", 0.05)
    viewer, _ = ui
    sign_in(viewer, TOKENS["editor"])
    own = viewer.post("/api/v1/comparisons", json=small()).json()["id"]
    with viewer.stream("GET", f"/api/v1/comparisons/{own}/live") as answer:
        lines = answer.iter_lines()
        assert next(lines)
        with httpx.Client(base_url=viewer.base_url, trust_env=False) as other:
            cookies = {"Cookie": f"{COOKIE}={viewer.cookies[COOKIE]}"}
            origin = {"Origin": viewer.headers["Origin"]}
            assert other.post("/signout", headers={**cookies, **origin}).status_code == 303
        for _ in lines:
            pass  # until it ends, cleanly
    assert viewer.get("/api/v1/me").status_code == 401


def test_an_idle_session_ends(ui: tuple[httpx.Client, Front]) -> None:
    viewer, front = ui
    sign_in(viewer, TOKENS["editor"])
    front.now += IDLE_S - 1
    assert viewer.get("/api/v1/me").status_code == 200
    front.now += IDLE_S + 1
    assert viewer.get("/api/v1/me").status_code == 401
    assert viewer.get("/queue", headers=HTML).headers["location"] == "/signin?next=%2Fqueue"
    for path in ("/_stcore/upload_file/a/b", "/media/a.csv"):
        refused = viewer.post(path, content=b"x")
        assert (refused.status_code, refused.json()["error"]) == (401, "unauthorized")


def test_wrong_tokens_are_refused_and_soon_not_even_checked(
    ui: tuple[httpx.Client, Front],
) -> None:
    viewer, front = ui
    for bad in [
        "",
        "wrong-token-0123456789",
        "ünïcode-token-of-length",
        "line\nbreak" * 3,
        "x" * 20_000,
    ]:
        answer = sign_in(viewer, bad)
        assert answer.status_code == 401
        assert "unknown or no longer valid" in answer.text
        assert not bad or bad not in answer.text
    for _ in range(MOST_FAILED - 5):
        assert sign_in(viewer, "wrong-token-0123456789").status_code == 401
    answer = sign_in(viewer, TOKENS["viewer"])
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    front.now += WITHIN_S
    assert sign_in(viewer, TOKENS["viewer"]).status_code == 303


def test_a_visitor_chooses_no_address_and_a_named_proxy_tells_it(settings: Settings) -> None:
    def attempt(ui_url: str, n: int) -> int:
        token = f"wrong-token-{n:012}"
        headers = {"Origin": ui_url, "X-Forwarded-For": f"1.2.3.{n}"}
        answer = httpx.post(f"{ui_url}/signin", data={"token": token}, headers=headers)
        return answer.status_code

    with serving(create_app(replace(settings, ui_secret="between-us"))) as api_url:
        front = Front(api_url, ui_secret="between-us")
        with serving(front.app()) as ui_url:
            statuses = [attempt(ui_url, n) for n in range(MOST_FAILED + 2)]
            assert statuses == [401] * MOST_FAILED + [429] * 2
        front = Front(api_url, proxies="127.0.0.1", ui_secret="between-us")
        with serving(front.app()) as ui_url:
            assert [attempt(ui_url, n) for n in range(MOST_FAILED + 2)] == [401] * 12


def test_tokens_that_programs_guess_through_the_ui_are_limited_by_visitor(
    settings: Settings,
) -> None:
    with serving(create_app(replace(settings, ui_secret="between-us"))) as api_url:
        front = Front(api_url, proxies="127.0.0.1", ui_secret="between-us")
        with serving(front.app(), before_stop=front.proxy.close) as ui_url:

            def ask(token: str, address: str) -> httpx.Response:
                headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
                return httpx.get(f"{ui_url}/api/v1/me", headers=headers)

            for n in range(MOST_FAILED):
                assert ask(f"wrong-token-{n:012}", "1.2.3.4").status_code == 401
            assert ask(TOKENS["viewer"], "1.2.3.4").status_code == 429
            assert ask(TOKENS["viewer"], "1.2.3.5").status_code == 200
            headers = {"Origin": ui_url, "X-Forwarded-For": "1.2.3.4"}
            form = {"token": TOKENS["viewer"]}
            answer = httpx.post(f"{ui_url}/signin", data=form, headers=headers)
            assert (answer.status_code, "Try again in" in answer.text) == (429, True)
            assert int(answer.headers["retry-after"]) > 0


def test_over_https_the_cookie_is_secure(ui: tuple[httpx.Client, Front]) -> None:
    viewer, _ = ui
    done = sign_in(viewer, TOKENS["viewer"], **{"X-Forwarded-Proto": "https"})
    assert "Secure" in done.headers["set-cookie"]


def test_every_answer_has_the_security_headers(ui: tuple[httpx.Client, Front]) -> None:
    viewer, _ = ui
    for method, path, status, policy in (
        ("GET", "/signin", 200, "default-src 'none'; style-src 'sha256-"),
        ("GET", "/api/v1/me", 401, "default-src 'none'"),
        (
            "GET",
            "/api/v1/internal/claim",
            404,
            "img-src 'self' data: blob:; ",
        ),
        ("PUT", "/signin", 405, "frame-ancestors 'self'"),
        ("GET", "/static/x.js", 200, "frame-ancestors 'self'"),
        ("GET", "/broken", 500, "frame-ancestors 'self'"),
    ):
        answer = viewer.request(method, path)
        assert answer.status_code == status, path
        assert policy in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert len(answer.headers.get_list("permissions-policy")) == 1


def test_a_malformed_next_is_told_and_leads_nowhere(ui: tuple[httpx.Client, Front]) -> None:
    viewer, _ = ui
    shown = viewer.get("/signin", params={"next": "//["})
    posted = sign_in(viewer, TOKENS["viewer"], "//[")
    for answer in (shown, posted):
        assert answer.status_code == 400
        assert "malformed `next`" in answer.text
        assert 'value="/"' in answer.text
    assert COOKIE not in viewer.cookies


def test_a_revoked_token_ends_its_session(
    settings: Settings, ui: tuple[httpx.Client, Front]
) -> None:
    viewer, front = ui
    own = front.sessions.begin("a-token-of-the-day-before", Person("Eve", "admin"))
    viewer.cookies[COOKIE] = own
    assert viewer.get("/api/v1/me").status_code == 401
    assert front.sessions.find(own) is None


def test_an_api_without_tokens_has_no_sign_in(settings: Settings) -> None:
    app = create_app(replace(settings, tokens=NO_TOKENS))
    with serving(app) as api_url:
        front = Front(api_url)
        with serving(front.app()) as ui_url, httpx.Client(base_url=ui_url) as viewer:
            assert viewer.get("/queue", headers=HTML).text == "the page /queue"
            assert viewer.get("/signin?next=/queue").headers["location"] == "/queue"
            assert viewer.post("/api/v1/comparisons", json=small()).status_code == 201
            evil = {"Origin": "http://evil.example"}
            answer = viewer.post("/api/v1/comparisons", json=small(), headers=evil)
            assert answer.status_code == 403
            front.proxy.close()


def test_without_the_api_the_pages_say_so_and_sign_in_is_refused() -> None:
    [port] = free_ports(1)
    front = Front(f"http://127.0.0.1:{port}")
    with serving(front.app()) as ui_url, httpx.Client(base_url=ui_url) as viewer:
        assert viewer.get("/queue", headers=HTML).text == "the page /queue"
        answer = sign_in(viewer, TOKENS["admin"], Origin=ui_url)
        assert answer.status_code == 503
        assert "does not answer" in answer.text


@pytest.mark.parametrize(
    "asked",
    [
        *("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"),
        *("queue", "", "/a\nb", "/signin?next=/signin", "/signout", "\\\\evil.example"),
    ],
)
def test_no_redirect_leaves_this_address(asked: str) -> None:
    assert safe_path(asked) == "/"


def test_the_sign_in_returns_to_the_same_view() -> None:
    for fine in ("/", "/queue", "/comparison?id=c1&arm=a%26b", "/new?from=//x"):
        assert safe_path(fine) == fine


def test_failed_attempts_count_for_a_minute_each_and_by_address() -> None:
    now = 0.0
    attempts = Attempts(lambda: now)
    for _ in range(MOST_FAILED):
        assert attempts.wait_s("a") == 0
        attempts.failed("a")
        now += 1
    assert (attempts.wait_s("a"), attempts.wait_s("b")) == (WITHIN_S - MOST_FAILED, 0)
    now = WITHIN_S
    assert attempts.wait_s("a") == 0, "the first attempt is a minute old"
    attempts.failed("a")
    assert attempts.wait_s("a") == 1, "nine of the others are not"
    now += 2 * WITHIN_S
    assert attempts.wait_s("a") == 0
