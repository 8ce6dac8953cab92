"""Every route called with every role; names, pages of other sites, the limit on submits."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.testclient import TestClient

from backend import errors
from backend.auth import guesses
from backend.auth.access import AccessTokens
from backend.auth.dependencies import require_rule
from backend.auth.guesses import Guesses
from backend.auth.middleware import AuthMiddleware, RateLimiter
from backend.auth.permissions import ROLES, RULES, Rule
from backend.auth.tokens import Tokens
from backend.settings import Settings
from contract.names import API_PREFIX
from tests.backend.conftest import Serve
from tests.backend.helpers import TOKEN, Api, check_error
from tests.backend.token_users import ENTRIES, NAMES, TOKENS, bearer, call_as, with_tokens
from tests.support.specs import small

CALLERS: dict[str, dict[str, str]] = {
    "no token": {},
    "wrong token": bearer("wrong-token-0123456789"),
    "the hash": bearer(f"sha256={Tokens.parse(ENTRIES).entries[2].token_hash.hex()}"),
    "basic": {"Authorization": f"Basic {TOKENS['admin']}"},
    "worker": bearer(TOKEN),
    **{role: bearer(token) for role, token in TOKENS.items()},
}


@pytest.fixture
def secured(
    serve: Serve, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[httpx.Client]:
    """An API with a sign-in, and with patience for wrong tokens."""
    monkeypatch.setattr(guesses, "MAX_WRONG", 1000)
    with serve(with_tokens(settings)) as (api, _):
        yield api.http


def allowed(rule: Rule, caller: str) -> bool:
    if rule.need == "none":
        return True
    if rule.need == "worker":
        return caller == "worker"
    return caller in ROLES and ROLES.index(caller) >= ROLES.index(rule.need)


@pytest.mark.both_databases
@pytest.mark.parametrize("caller", CALLERS)
def test_every_route_admits_the_callers_of_its_rule(secured: httpx.Client, caller: str) -> None:
    refused = 0
    for rule in RULES:
        path = rule.template.replace("{digest}", 64 * "0").replace("{n}", "0")
        path = path.replace("{", "").replace("}", "")
        answer = secured.request(rule.method, path, headers=CALLERS[caller])
        where = f"{caller} at {rule.method} {rule.route}"
        if allowed(rule, caller):
            assert answer.status_code not in {401, 403, 429, 500}, where
            continue
        refused += 1
        if caller in ROLES and rule.need != "worker":
            message = check_error(answer, 403, "forbidden")["message"]
            assert f"needs the role {rule.need}" in message, where
            assert NAMES[caller] in message
        else:
            check_error(answer, 401, "unauthorized")
            assert answer.headers["www-authenticate"] == "Bearer", where
    workers = sum(rule.need == "worker" for rule in RULES)
    assert refused == workers if caller == "admin" else refused > workers


def test_a_caller_without_a_token_learns_what_to_do_and_nothing_about_the_body(
    secured: httpx.Client,
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = secured.post("/api/v1/comparisons", content="{", headers=headers)
    assert "Authorization: Bearer" in check_error(answer, 401, "unauthorized")["message"]
    wrong = {**headers, **CALLERS["wrong token"]}
    answer = secured.post("/api/v1/comparisons", content="{", headers=wrong)
    assert "unknown or no longer valid" in check_error(answer, 401, "unauthorized")["message"]


def test_unknown_paths_and_wrong_methods_keep_their_errors(secured: httpx.Client) -> None:
    check_error(secured.get("/api/v1/nowhere"), 404, "not_found")
    check_error(secured.put("/api/v1/workers"), 405, "method_not_allowed")


def test_a_route_without_a_rule_is_refused_to_everybody() -> None:
    router = APIRouter(prefix=API_PREFIX, dependencies=[Depends(require_rule)])

    @router.get("/forgotten")
    def forgotten() -> str:
        return "answer"

    app = FastAPI()
    app.include_router(router)
    tokens = AccessTokens(Tokens.parse(ENTRIES))
    app.add_middleware(AuthMiddleware, tokens=tokens, per_minute=0, guesses=Guesses())
    errors.install_handlers(app)
    with TestClient(app) as client:
        for caller in ("no token", "admin"):
            answer = client.get(f"{API_PREFIX}/forgotten", headers=CALLERS[caller])
            assert "no rule" in check_error(answer, 403, "forbidden")["message"]


def test_the_name_of_the_token_wins_over_the_header(secured: httpx.Client) -> None:
    headers = {**bearer(TOKENS["editor"]), "X-Lossboard-User": "Adam"}
    made = secured.post("/api/v1/comparisons", json=small(), headers=headers)
    assert made.json()["created_by"] == "Edda"


def test_me_answers_the_callers_name_and_role(serve: Serve, settings: Settings) -> None:
    with serve(with_tokens(settings)) as (api, _):
        for role, name in NAMES.items():
            me = call_as(api.http, role, "GET", "/me").json()
            assert me == {"name": name, "role": role, "signed_in": True}
    with serve(settings) as (api, _):
        assert api.get("/me") == {"name": "local", "role": "admin", "signed_in": False}
        named = api.http.get("/api/v1/me", headers={"X-Lossboard-User": "Ada"}).json()
        assert named == {"name": "Ada", "role": "admin", "signed_in": False}


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_page_of_another_site_cannot_change_anything(api: Api, headers: dict[str, str]) -> None:
    own = api.submit()
    path = f"/api/v1/comparisons/{own}"
    check_error(api.http.post(f"{path}/cancel", headers=headers), 403, "forbidden")
    assert api.get(f"/comparisons/{own}")["state"] == "queued"
    assert api.http.get(path, headers=headers).status_code == 200
    own_page = {"Sec-Fetch-Site": "same-origin", "Origin": str(api.http.base_url).rstrip("/")}
    assert api.http.post(f"{path}/cancel", headers=own_page).status_code == 200


def test_submits_are_limited_for_each_person(serve: Serve, settings: Settings) -> None:
    def submit(role: str, path: str = "/comparisons", **sent: Any) -> httpx.Response:
        return call_as(api.http, role, "POST", path, **sent)

    with serve(with_tokens(settings, submits_per_min=2)) as (api, _):
        made = [submit("editor", json=small()).json()["id"] for _ in range(2)]
        for path in ("/comparisons", f"/comparisons/{made[0]}/seeds", "/datasets"):
            refused = submit("editor", path)
            assert "try again in 30 s" in check_error(refused, 429, "too_fast")["message"]
            assert refused.headers["retry-after"] == "30"
        assert submit("admin", json=small()).status_code == 201
        assert submit("editor", f"/comparisons/{made[0]}/cancel").status_code == 200
        check_error(submit("viewer", json=small()), 403, "forbidden")


def test_the_limit_refills_and_is_separate_for_each_key() -> None:
    now = 100.0
    limiter = RateLimiter(60, lambda: now)
    assert [limiter.take("a") for _ in range(60)] == [0.0] * 60
    assert limiter.take("a") == pytest.approx(1.0)
    assert limiter.take("b") == 0
    now += 0.75
    assert limiter.take("a") == pytest.approx(0.25)
    now += 0.5
    assert limiter.take("a") == 0
    now += 10_000
    assert [limiter.take("a") for _ in range(60)] == [0.0] * 60
    assert limiter.take("a") > 0, "it never holds more than one minute of calls"
    assert RateLimiter(0, lambda: now).take("a") == 0
