"""The export menu, and the import of what it exports."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from frontend.api.client import Api
from frontend.export.menu import export_url
from tests.support.specs import small

MAIN = Path(__file__).resolve().parents[3] / "frontend" / "main.py"


def menu_of_the_only_comparison() -> None:
    """The menu on a page that has nothing else."""
    import streamlit as st  # noqa: PLC0415 - a page of its own

    from frontend.export.menu import export_menu  # noqa: PLC0415

    client = st.session_state["api"]
    export_menu(client, client.comparisons()["comparisons"][0])


def shown(api: Api) -> AppTest:
    at = AppTest.from_function(menu_of_the_only_comparison, default_timeout=90)
    at.session_state["api"] = api
    at.run()
    assert not at.exception, at.exception
    return at


def test_every_link_of_the_menu_is_answered(api: Api) -> None:
    own = api.create(small())["id"]
    links = [link.proto for link in shown(api).get("link_button")]
    assert [link.label for link in links] == [
        *("Results, CSV", "Results, Parquet"),
        *("Curves, CSV", "Curves, Parquet"),
        *("Runs, CSV", "Runs, Parquet"),
        *("Leaderboard, CSV", "Leaderboard, Parquet"),
        *("Spec, JSON", "Everything, JSON"),
    ]
    with httpx.Client(base_url=api._http.base_url) as browser:
        for link in links:
            assert link.url.startswith(f"/api/v1/comparisons/{own}/export?")
            answer = browser.get(link.url)
            assert answer.status_code == 200, link.url
            assert answer.headers["content-disposition"].startswith("attachment; ")


def test_report_and_tables_are_made_at_the_click_alone(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.create(small())

    def early(*_: Any) -> None:
        raise AssertionError("made before anybody asked")

    monkeypatch.setattr("frontend.export.menu.report_page.page", early)
    monkeypatch.setattr("frontend.export.menu.latex_tables", early)
    monkeypatch.setattr("frontend.export.menu.verdict_text", early)
    buttons = [button.proto.label for button in shown(api).get("download_button")]
    assert buttons == ["HTML report", "LaTeX tables", "Verdict, CSV", "Verdict, Markdown"]


def test_an_export_url_is_safe_for_any_id() -> None:
    assert export_url("a/../b?c", format="csv") == (
        "/api/v1/comparisons/a%2F..%2Fb%3Fc/export?format=csv"
    )


def imported(api: Api, document: object) -> AppTest:
    at = AppTest.from_file(str(MAIN), default_timeout=90)
    at.session_state["api"] = api
    at.run()  # registers the page, whose address is not the name of its file
    at.switch_page("app_pages/new_comparison.py").run()
    at.text_area(key="new_json").set_value(json.dumps(document)).run()
    at.button(key="new_fill").click().run()
    assert not at.exception, at.exception
    return at


@pytest.mark.parametrize("whole", [False, True], ids=["spec", "everything"])
def test_an_export_fills_the_form_again(api: Api, whole: bool) -> None:
    own = api.create(small(name="taken along"))["id"]
    document: Any = api.everything(own) if whole else api.comparison(own)["spec"]
    at = imported(api, document)
    assert at.text_input(key="new.name").value == "taken along"
    assert at.number_input(key="new.arms.0.loss.margin").value == 0.5


def test_all_problems_of_an_imported_spec_are_shown(api: Api) -> None:
    spec = small(surprise=1, arms=[{"name": "x", "loss": {"kind": "triplet", "margin": "wide"}}])
    at = imported(api, {**spec, "data": {"kind": "no such data"}})
    said = "\n".join(block.proto.body for block in at.get("html"))
    assert "Some settings of the spec could not be used." in said
    for word in ("no such data", "&#x27;wide&#x27;", "unknown key"):
        assert word in said, said
