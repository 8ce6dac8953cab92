"""The table of rules covers the routes, and a call finds its rule."""

from backend.app import create_app
from backend.auth.permissions import ROLES, RULES, find_rule
from backend.http.openapi import whole_document
from backend.settings import Settings
from contract.names import API_PREFIX


def test_every_route_has_one_rule_and_every_rule_a_route(settings: Settings) -> None:
    served = {
        (method.upper(), path)
        for path, methods in whole_document(create_app(settings))["paths"].items()
        for method in methods
    }
    assert {(rule.method, rule.template) for rule in RULES} == served
    assert len(RULES) == len(served)
    assert {rule.need for rule in RULES} == {*ROLES, "none", "worker"}


def test_rules_are_found_by_the_path_as_the_app_reads_it() -> None:
    for rule in RULES:
        path = rule.template.replace("{", "").replace("}", "")
        assert find_rule(rule.method, path) is rule
    assert find_rule("GET", f"{API_PREFIX}/comparisons/a/b/c") is None
    assert find_rule("PUT", f"{API_PREFIX}/comparisons") is None
