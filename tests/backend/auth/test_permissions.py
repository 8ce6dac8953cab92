"""Every route by every role; what a token's name is for; the pace of submits."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.testclient import TestClient

from backend import errors
from backend.app import create_app
from backend.auth.middleware import AuthMiddleware, RateLimiter, require_rule
from backend.auth.permissions import ROLES, RULES, Rule, find_rule
from backend.auth.tokens import Tokens
from backend.settings import Settings
from contract.names import API_PREFIX
from tests.backend.conftest import Serve
from tests.backend.helpers import TOKEN, Api
from tests.backend.people import ENTRIES, NAMES, TOKENS, ask, bearer, locked
from tests.backend.test_errors import check
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
def house(serve: Serve, settings: Settings) -> Iterator[httpx.Client]:
    """An API with a sign-in."""
    with serve(locked(settings)) as (api, _):
        yield api.http


def test_every_route_has_one_rule_and_every_rule_a_route(settings: Settings) -> None:
    served = {
        (method.upper(), path)
        for path, methods in create_app(settings).openapi()["paths"].items()
        for method in methods
    }
    assert {(rule.method, rule.template) for rule in RULES} == served
    assert len(RULES) == len(served) == 53
    assert {rule.need for rule in RULES} == {*ROLES, "none", "worker"}


def test_rules_are_found_by_the_path_as_the_app_reads_it() -> None:
    for rule in RULES:
        path = rule.template.replace("{", "").replace("}", "")
        assert find_rule(rule.method, path) is rule
    assert find_rule("GET", f"{API_PREFIX}/comparisons/a/b/c") is None
    assert find_rule("PUT", f"{API_PREFIX}/comparisons") is None


def allowed(rule: Rule, caller: str) -> bool:
    if rule.need == "none":
        return True
    if rule.need == "worker":
        return caller == "worker"
    return caller in ROLES and ROLES.index(caller) >= ROLES.index(rule.need)


@pytest.mark.parametrize("caller", CALLERS)
def test_every_route_lets_in_whom_its_rule_says(house: httpx.Client, caller: str) -> None:
    refused = 0
    for rule in RULES:
        path = rule.template.replace("{digest}", 64 * "0").replace("{n}", "0")
        path = path.replace("{", "").replace("}", "")
        answer = house.request(rule.method, path, headers=CALLERS[caller])
        where = f"{caller} at {rule.method} {rule.route}"
        if allowed(rule, caller):
            assert answer.status_code not in {401, 403, 429, 500}, where
            continue
        refused += 1
        if caller in ROLES and rule.need != "worker":
            said = check(answer, 403, "forbidden")["message"]
            assert f"needs the role {rule.need}" in said, where
            assert NAMES[caller] in said
        else:
            check(answer, 401, "unauthorized")
            assert answer.headers["www-authenticate"] == "Bearer", where
    expected = {"viewer": 22, "editor": 12, "admin": 9, "worker": 42}
    assert refused == expected.get(caller, 51)


def test_who_has_no_token_learns_nothing_of_the_body_and_is_told_what_to_do(
    house: httpx.Client,
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = house.post("/api/v1/comparisons", content="{", headers=headers)
    assert "Authorization: Bearer" in check(answer, 401, "unauthorized")["message"]
    wrong = {**headers, **CALLERS["wrong token"]}
    answer = house.post("/api/v1/comparisons", content="{", headers=wrong)
    assert "not known here" in check(answer, 401, "unauthorized")["message"]


def test_what_is_not_there_or_has_another_method_is_said_as_ever(house: httpx.Client) -> None:
    check(house.get("/api/v1/nowhere"), 404, "not_found")
    check(house.put("/api/v1/workers"), 405, "method_not_allowed")


def test_a_route_without_a_rule_answers_nobody() -> None:
    router = APIRouter(prefix=API_PREFIX, dependencies=[Depends(require_rule)])

    @router.get("/forgotten")
    def forgotten() -> str:
        return "told"

    app = FastAPI()
    app.include_router(router)
    app.add_middleware(AuthMiddleware, tokens=Tokens.parse(ENTRIES), per_minute=0)
    errors.install_handlers(app)
    with TestClient(app) as client:
        for caller in ("no token", "admin"):
            answer = client.get(f"{API_PREFIX}/forgotten", headers=CALLERS[caller])
            assert "no rule" in check(answer, 403, "forbidden")["message"]


def test_a_comparison_is_the_tokens_whatever_the_header_says(house: httpx.Client) -> None:
    headers = {**bearer(TOKENS["editor"]), "X-Lossboard-User": "Adam"}
    made = house.post("/api/v1/comparisons", json=small(), headers=headers)
    assert made.json()["created_by"] == "Edda"


def test_everybody_learns_who_they_are(house: httpx.Client, api: Api) -> None:
    for role, name in NAMES.items():
        me = ask(house, role, "GET", "/me").json()
        assert me == {"name": name, "role": role, "signed_in": True}
    assert api.get("/me") == {"name": "local", "role": "admin", "signed_in": False}
    told = api.http.get("/api/v1/me", headers={"X-Lossboard-User": "Ada"}).json()
    assert told == {"name": "Ada", "role": "admin", "signed_in": False}


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_another_sites_page_changes_nothing_through_its_visitor(
    api: Api, headers: dict[str, str]
) -> None:
    own = api.submit()
    path = f"/api/v1/comparisons/{own}"
    check(api.http.post(f"{path}/cancel", headers=headers), 403, "forbidden")
    assert api.get(f"/comparisons/{own}")["state"] == "queued"
    assert api.http.get(path, headers=headers).status_code == 200
    own_page = {"Sec-Fetch-Site": "same-origin", "Origin": str(api.http.base_url).rstrip("/")}
    assert api.http.post(f"{path}/cancel", headers=own_page).status_code == 200


def test_submits_have_a_pace_for_each_person(serve: Serve, settings: Settings) -> None:
    def submit(role: str, path: str = "/comparisons", **sent: Any) -> httpx.Response:
        return ask(api.http, role, "POST", path, **sent)

    with serve(locked(settings, submits_per_min=2)) as (api, _):
        made = [submit("editor", json=small()).json()["id"] for _ in range(2)]
        for path in ("/comparisons", f"/comparisons/{made[0]}/seeds", "/datasets"):
            refused = submit("editor", path)
            assert "try again in 30 s" in check(refused, 429, "too_fast")["message"]
            assert refused.headers["retry-after"] == "30"
        assert submit("admin", json=small()).status_code == 201
        assert submit("editor", f"/comparisons/{made[0]}/cancel").status_code == 200
        check(submit("viewer", json=small()), 403, "forbidden")


def test_the_pace_fills_again_and_is_kept_apart() -> None:
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
    assert limiter.take("a") > 0, "it never holds more than a minute's"
    assert RateLimiter(0, lambda: now).take("a") == 0


def test_browsers_are_told_what_not_to_do_with_an_answer(api: Api) -> None:
    for path in ("/api/v1/workers", "/api/v1/nowhere", "/openapi.json"):
        headers = api.http.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers
