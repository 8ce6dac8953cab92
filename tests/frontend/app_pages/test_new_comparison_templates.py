"""A team's templates on the pages of a new comparison and of a comparison, with a real API."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from backend.app import create_app
from backend.db.models import Template
from backend.settings import Settings
from contract.comparison.spec import parse_spec
from frontend.api.client import Api
from frontend.server.sessions import Person, sessions
from frontend.ui import session
from tests.backend.token_users import NAMES, TOKENS, with_tokens
from tests.support.form_page import MAIN, opened, post, press, run, said, stored
from tests.support.open_board import Board
from tests.support.serving import serving
from tests.support.specs import small


def keys(at: Any) -> set[str]:
    return {button.key for button in at.button}


def save(at: AppTest, name: str, note: str = "") -> AppTest:
    at.text_input(key="new_template_name").set_value(name)
    at.text_input(key="new_template_note").set_value(note)
    return press(at, "new_template_save")


def test_a_form_becomes_a_template_that_fills_another_form(http: httpx.Client) -> None:
    at = opened(http)
    assert "None yet. “Save as template”" in said(at)
    at.number_input(key="new.training.epochs").set_value(7)
    at.number_input(key="new.arms.1.loss.margin").set_value(0.25)
    at.selectbox(key="new_own_training_1").set_value("batch_size")
    run(at)
    press(at, "new_template_save")
    assert [error.value for error in at.error] == ["A template needs a name."]
    save(at, "Products", "For the shop's photographs.")
    [template] = Api(http).templates()
    assert (template["name"], template["note"]) == ("Products", "For the shop's photographs.")
    assert at.query_params["template"] == template["id"]
    assert "photographs. Saved by local, " in said(at).replace("\\", "")

    at = opened(http, template=template["id"])
    assert at.number_input(key="new.training.epochs").value == 7
    assert at.number_input(key="new.arms.1.training.batch_size").value == 64
    press(at, "new_preset_z25-synthetic")
    press(at, f"new_template_{template['id']}")
    assert at.number_input(key="new.arms.1.loss.margin").value == 0.25
    press(at, "new_start")
    assert parse_spec(stored(http)[0]) == parse_spec(Api(http).template(template["id"])["spec"])


def test_a_form_that_cannot_be_started_is_not_saved(http: httpx.Client) -> None:
    at = opened(http)
    at.number_input(key="new.training.batch_size").set_value(8000)
    run(at)
    save(at, "Too large")
    assert "The template was not saved: 1 setting needs a change." in said(at)
    assert ".st-key-new-training-batch_size " in said(at)
    at.number_input(key="new.training.batch_size").set_value(64)
    at.text_input(key="new.seeds").set_value("0, 0")
    run(at)
    press(at, "new_template_save")
    assert "The template was not saved: 1 setting needs a change." in said(at)
    assert Api(http).templates() == []


def test_the_open_template_is_renamed_replaced_and_deleted(http: httpx.Client) -> None:
    own = Api(http).create_template("first", small())["id"]
    Api(http).create_template("taken", small())
    at = opened(http, template=own)
    at.text_input(key=f"new_template_name_{own}").set_value("taken")
    press(at, "new_template_rename")
    assert "another template is called" in at.error[0].value
    at.text_input(key=f"new_template_name_{own}").set_value("second")
    press(at, "new_template_rename")
    at.text_input(key="new.seeds").set_value("3, 4")
    run(at)
    press(at, "new_template_put")
    found = Api(http).template(own)
    assert (found["name"], found["spec"]["seeds"]) == ("second", [3, 4])
    assert "new_template_delete" not in keys(at)
    at.checkbox(key=f"new_template_sure_{own}").set_value(True)
    run(at)
    press(at, "new_template_delete")
    assert [one["name"] for one in Api(http).templates()] == ["taken"]
    assert at.text_input(key="new.seeds").value == "3, 4", "the form stays as it is"
    assert f"new_template_{own}" not in keys(at)


def test_a_template_that_is_no_longer_valid_opens_with_its_problems(
    board: Board,
) -> None:
    http, database = board
    own = Api(http).create_template("old", small())["id"]
    with database.write() as write:
        found = write.session.exec(select(Template)).one()
        found.spec = {
            **small(data={"kind": "features", "dataset": "d1"}),
            "colour": "red",
            "encoder": {"kind": "mlp", "hidden": 1},
        }
        write.session.add(found)
    at = opened(http, template=own)
    assert "This template is no longer valid as it was saved: 3 settings need a change." in said(at)
    assert "<b>Uploaded data set</b>: there is no uploaded data set" in said(at)
    assert "unknown key in the spec" in said(at)
    assert "<b>Hidden units</b>: was 1; set to 2, the nearest that is allowed" in said(at)
    at = opened(http, template="t404")
    assert "Template t404 could not be read; the form shows a preset instead" in said(at)


def test_many_templates_are_chosen_from_a_list(http: httpx.Client) -> None:
    made = [Api(http).create_template(f"{n:02}", small(seeds=[n]))["id"] for n in range(9)]
    at = opened(http)
    assert f"new_template_{made[7]}" in keys(at)
    assert f"new_template_{made[8]}" not in keys(at)
    at.selectbox(key="new_template_list").set_value(made[8])
    run(at)
    assert at.text_input(key="new.seeds").value == "8"


def test_only_the_owner_and_admins_change_a_template(
    tmp_path: Path, broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(tmp_path, f"sqlite:///{tmp_path / 'own.sqlite'}", broker_url, "secret")
    app = create_app(with_tokens(settings))
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as http:
        with app.state.parts.database.write() as write:
            template = Template(
                id="t1", name="n", note="", spec=small(), created_by="A*a*", created_at=0
            )
            write.session.add(template)
        for role, may in (("viewer", False), ("editor", False), ("admin", True)):
            own = sessions().begin(TOKENS[role], Person(NAMES[role], role))
            monkeypatch.setattr(session, "_session_cookie", lambda own=own: own)
            client = session.session_client(http)
            edit = [
                one.proto.popover
                for one in opened(client, template="t1").get("popover")
                if one.proto.popover.label == "Edit template"
            ]
            assert [one.disabled for one in edit] == [not may], role
            if role == "editor":
                assert "Only A\\*a\\* and admins" in edit[0].help


def test_a_comparison_becomes_a_template(http: httpx.Client) -> None:
    own = post(http, small(name="shoes", seeds=[5, 6]))
    at = AppTest.from_file(MAIN, default_timeout=90)
    at.session_state["api"] = Api(http)
    at.run()
    at.switch_page("app_pages/comparison.py")
    at.query_params["id"] = own
    run(at)
    at.menu_button(key="comparison_more").click("Save as template").run()
    assert at.text_input(key=f"template_name_{own}").value == "shoes"
    at.text_input(key=f"template_name_{own}").set_value("Shoes, two seeds")
    press(at, f"template_save_{own}")
    [template] = Api(http).templates()
    assert template["name"] == "Shoes, two seeds"
    spec = Api(http).template(template["id"])["spec"]
    assert parse_spec(spec) == parse_spec(small(name="shoes", seeds=[5, 6]))
    assert f"template_save_{own}" not in keys(at)
