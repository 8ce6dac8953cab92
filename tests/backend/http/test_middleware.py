"""The headers that every answer carries."""

from tests.backend.helpers import Api


def test_every_answer_has_the_security_headers(api: Api) -> None:
    for path in ("/api/v1/workers", "/api/v1/nowhere", "/openapi.json"):
        headers = api.http.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers
