"""The arms that a query of the verdict names."""

import pytest

from tests.backend.helpers import Api
from tests.backend.scripted_runs import PAIR


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("a=x", {"a": "there is no arm 'x'; the arms are 'pull', 'rank'"}),
        ("b=", {"b": "there is no arm ''; the arms are 'pull', 'rank'"}),
        ("a=rank&b=rank", {"b": "'rank' cannot be compared with itself; name another arm"}),
    ],
)
def test_arms_that_cannot_be_judged(api: Api, query: str, fields: dict[str, str]) -> None:
    comparison = api.submit(arms=list(PAIR))
    answer = api.http.get(f"/api/v1/comparisons/{comparison}/verdict?{query}")
    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert {f["path"]: f["message"] for f in answer.json()["fields"]} == fields
    assert api.http.get("/api/v1/comparisons/none/verdict").status_code == 404
