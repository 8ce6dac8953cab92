"""The headers that every answer carries."""

import pytest

from backend.workers.registry import Workers
from tests.backend.helpers import Api


def test_every_answer_has_the_security_headers(api: Api) -> None:
    for method, path in (
        ("GET", "/api/v1/workers"),
        ("GET", "/api/v1/nowhere"),
        ("PUT", "/api/v1/workers"),
        ("POST", "/api/v1/comparisons"),
        ("GET", "/nowhere"),
        ("GET", "/openapi.json"),
    ):
        headers = api.http.request(method, path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers


def test_the_answer_to_an_unexpected_error_has_them_too(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Workers) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Workers, "listed", fail)
    answer = api.http.get("/api/v1/workers")
    assert (answer.status_code, answer.json()["error"]) == (500, "internal")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
