"""Query parameters that a call does not have are refused, and so is a value that is given twice."""

import pytest

from backend.auth.permissions import RULES
from contract.names import API_PREFIX
from tests.backend.helpers import TOKEN, Api, check_error
from tests.backend.token_users import bearer


def test_every_call_refuses_a_parameter_that_it_does_not_have(api: Api) -> None:
    for rule in RULES:
        path = rule.template.replace("{n}", "0").replace("{digest}", 64 * "a")
        answer = api.http.request(
            rule.method,
            path.replace("{", "").replace("}", ""),
            params={"mistyped": "1"},
            headers=bearer(TOKEN) if rule.need == "worker" else {},
        )
        paths = [field["path"] for field in check_error(answer, 422, "invalid_request")["fields"]]
        assert "mistyped" in paths, rule
    assert len(RULES) > 50


@pytest.mark.parametrize(
    ("query", "path", "message"),
    [
        ("archive=true", "archive", "did you mean 'archived'?"),
        ("zzz=1", "zzz", "known are q, tag, created_by, state, archived, sort, descending, page,"),
        ("page=1&page=2", "page", "it is given 2 times and takes one value; give it once"),
    ],
)
def test_the_problem_says_what_there_is(api: Api, query: str, path: str, message: str) -> None:
    answer = api.http.get(f"{API_PREFIX}/comparisons?{query}")
    [field] = check_error(answer, 422, "invalid_request")["fields"]
    assert field["path"] == path
    assert message in field["message"]


def test_wrong_names_and_wrong_values_are_told_at_once(api: Api) -> None:
    answer = api.http.get(f"{API_PREFIX}/comparisons?page=x&sortt=name&page_size=0")
    fields = check_error(answer, 422, "invalid_request")["fields"]
    assert {field["path"] for field in fields} == {"page", "sortt", "page_size"}


def test_a_call_without_parameters_says_so_and_cuts_a_long_name(api: Api) -> None:
    answer = api.http.get(f"{API_PREFIX}/catalogue?{500 * 'x'}=1")
    [field] = check_error(answer, 422, "invalid_request")["fields"]
    assert field == {
        "path": 60 * "x",
        "message": "there is no such parameter; this call takes none",
    }


def test_lists_may_be_given_more_than_once(api: Api) -> None:
    comparison = api.submit()
    [run] = api.get(f"/comparisons/{comparison}/runs")["runs"]
    keys = ["dynamics.loss", "run.elapsed_s"]
    assert api.get("/series", run=[run["id"], run["id"]], key=keys) == {"series": []}
    projection = f"/comparisons/{comparison}/projection"
    answer = api.http.get(f"{API_PREFIX}{projection}?seed=0&method=pca&dim=3")
    [field] = check_error(answer, 422, "invalid_request")["fields"]
    assert "did you mean 'dims'?" in field["message"]
