"""The API behind a proxy that serves it under a path and keeps or removes that path."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from backend.app import create_app
from backend.errors import SettingsError
from backend.settings import Settings
from tests.backend.token_users import TOKENS, bearer, with_tokens
from tests.support.serving import serving


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory, broker: object) -> Iterator[httpx.Client]:
    """A client of an API with tokens and a base path."""
    folder: Path = tmp_path_factory.mktemp("below")
    url = f"sqlite:///{folder / 'lossboard.sqlite'}"
    settings = with_tokens(Settings(folder, url, broker.url, "secret"))  # type: ignore[attr-defined]
    with (
        serving(create_app(replace(settings, base_path="/lossboard"))) as api_url,
        httpx.Client(base_url=api_url, timeout=60, trust_env=False) as http,
    ):
        yield http


@pytest.mark.parametrize("prefix", ["/lossboard", ""])
def test_calls_and_their_rules_are_the_same_with_the_base_path_and_without(
    below: httpx.Client, prefix: str
) -> None:
    assert below.get(f"{prefix}/api/v1/health/live").status_code == 200
    assert below.get(f"{prefix}/api/v1/comparisons").status_code == 401
    assert below.post(f"{prefix}/api/v1/internal/claim", json={}).status_code in {401, 422}
    viewer = bearer(TOKENS["viewer"])
    assert below.get(f"{prefix}/api/v1/comparisons", headers=viewer).json()["total"] == 0
    refused = below.delete(f"{prefix}/api/v1/comparisons/c1", headers=viewer)
    assert (refused.status_code, refused.json()["error"]) == (403, "forbidden")
    missing = below.get(f"{prefix}/api/v1/lossboard/api/v1/comparisons", headers=viewer)
    assert missing.status_code in {403, 404}


@pytest.mark.parametrize("prefix", ["/lossboard", ""])
def test_the_openapi_document_and_its_page_name_the_base_path(
    below: httpx.Client, prefix: str
) -> None:
    assert "'/lossboard/openapi.json'" in below.get(f"{prefix}/docs").text.replace('"', "'")
    assert below.get(f"{prefix}/openapi.json").json()["servers"] == [{"url": "/lossboard"}]


@pytest.mark.parametrize("prefix", ["/lossboard", ""])
def test_redirects_stay_below_the_base_path(below: httpx.Client, prefix: str) -> None:
    viewer = bearer(TOKENS["viewer"])
    answer = below.get(f"{prefix}/api/v1/comparisons/?page_size=1", headers=viewer)
    assert answer.is_redirect
    assert answer.headers["location"] == "/lossboard/api/v1/comparisons?page_size=1"


@pytest.mark.parametrize("path", ["lossboard", "/lossboard/", "/", "/a b", "/../x", "/a\n"])
def test_a_wrong_base_path_is_refused_with_what_to_write(path: str) -> None:
    environ = {"LOSSBOARD_WORKER_TOKEN": "secret", "LOSSBOARD_BASE_PATH": path}
    with pytest.raises(SettingsError, match=r"LOSSBOARD_BASE_PATH is .*; it must be a path like"):
        Settings.from_environ(environ)


@pytest.mark.parametrize("path", ["/api", "/docs/x"])
def test_a_base_path_that_looks_like_the_apis_own_addresses_is_refused(path: str) -> None:
    environ = {"LOSSBOARD_WORKER_TOKEN": "secret", "LOSSBOARD_BASE_PATH": path}
    with pytest.raises(SettingsError, match="is an address of the API itself"):
        Settings.from_environ(environ)
