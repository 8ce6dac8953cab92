"""The board of comparisons against the real API, through the entry page."""

from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from frontend.api.client import Api
from frontend.errors import ApiError, MissingError
from tests.support.broker import Broker
from tests.support.ports import free_ports
from tests.support.specs import small

MAIN = Path(__file__).resolve().parents[3] / "frontend" / "main.py"


def opened(client: Api, **query: str) -> AppTest:
    at = AppTest.from_file(str(MAIN), default_timeout=90)
    at.session_state["api"] = client
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception, at.exception
    return at


def said(at: AppTest) -> str:
    return "\n".join(block.value for block in [*at.markdown, *at.caption])


def states_and_names(at: AppTest) -> list[tuple[str, str]]:
    table = at.dataframe[0].value
    names = [unquote(link.partition("#")[2]) for link in table["Name"]]
    return list(zip(table["State"], names, strict=True))


def test_an_empty_board_leads_to_the_first_comparison_and_says_no_worker(api: Api) -> None:
    at = opened(api)
    assert "No comparison yet" in said(at)
    assert "No worker: runs wait." in said(at)
    assert not at.dataframe


def test_comparisons_are_listed_newest_first_with_state_and_link(api: Api) -> None:
    first = api.create(small(name="first", tags=["demo"], seeds=[0, 1]))["id"]
    api.create(small(name="second"))
    api.cancel(first)
    at = opened(api)
    assert states_and_names(at) == [("◌ queued", "second"), ("◼ cancelled", "first")]
    row = at.dataframe[0].value.iloc[1]
    assert row["Name"].startswith(f"/comparison?id={first}#")
    assert row["Seeds"] == 2
    assert list(row["Tags"]) == ["demo"]
    assert list(row["Arms"]) == ["triplet"]


def test_the_address_alone_restores_the_filters(api: Api) -> None:
    for name, tag in (("alpha", "odd"), ("beta", "even"), ("gamma", "odd")):
        api.create(small(name=name, tags=[tag]))
    at = opened(api, q="a", tag="odd", state="queued")
    assert [name for _, name in states_and_names(at)] == ["gamma", "alpha"]
    assert at.text_input(key="comparisons_q").value == "a"
    assert at.selectbox(key="comparisons_state").value == "queued"


def test_a_search_goes_to_the_address_and_back_to_the_first_page(api: Api) -> None:
    for name in ("alpha", "beta"):
        api.create(small(name=name))
    at = opened(api, page="3")
    at.text_input(key="comparisons_q").set_value("bet").run()
    assert not at.exception
    assert [name for _, name in states_and_names(at)] == ["beta"]
    assert at.query_params["q"] in ("bet", ["bet"])
    assert "page" not in at.query_params


def test_filters_that_match_nothing_say_so(api: Api) -> None:
    api.create(small())
    at = opened(api, q="no such words")
    assert "Nothing matches" in said(at)
    at.button(key="comparisons_all").click().run()
    assert [name for _, name in states_and_names(at)] == ["small"]
    assert not at.text_input(key="comparisons_q").value


@pytest.mark.parametrize("page", ["0", "-1", "x", "99", "9" * 30])
def test_an_odd_page_in_the_address_shows_a_real_one(api: Api, page: str) -> None:
    api.create(small())
    assert states_and_names(opened(api, page=page)) == [("◌ queued", "small")]


def test_another_list_is_another_table_so_that_no_selection_passes_on(api: Api) -> None:
    api.create(small(name="chosen"))
    at = opened(api)
    first = at.dataframe[0].proto.id
    at.run()
    assert at.dataframe[0].proto.id == first
    api.create(small(name="added on top"))
    at.run()
    assert at.dataframe[0].proto.id != first


def test_a_name_is_shown_as_it_is(api: Api) -> None:
    name = "100 % of #1 <b>&amp; `ü`"
    api.create(small(name=name))
    assert states_and_names(opened(api))[0][1] == name


def test_an_api_that_is_away_is_said_and_looked_for_again() -> None:
    [port] = free_ports(1)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        at = opened(Api(http))
    assert "The board cannot be read now" in said(at)
    assert at.session_state["comparisons_watching"]


def test_a_board_at_rest_looks_again_by_itself_while_the_api_is_away(api: Api) -> None:
    made = api.create(small())["id"]
    api.cancel(made)
    at = opened(api)
    assert not at.session_state["comparisons_watching"]
    [port] = free_ports(1)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        at.session_state["api"] = Api(http)
        at.run()
    assert "This page retries automatically" in said(at)
    assert at.session_state["comparisons_watching"]


def test_the_way_back_in_the_browser_takes_the_filters_with_it(api: Api) -> None:
    for name in ("alpha", "beta"):
        api.create(small(name=name))
    at = opened(api)
    at.text_input(key="comparisons_q").set_value("bet").run()
    at.query_params.clear()
    at.run()
    assert not at.text_input(key="comparisons_q").value
    assert [name for _, name in states_and_names(at)] == ["beta", "alpha"]


def test_an_archive_of_its_own_and_the_way_to_one_users_comparisons(api: Api) -> None:
    old = api.create(small(name="old"))["id"]
    api.user = "Ada Löwe"
    api.create(small(name="hers"))
    api.user = ""
    api.create(small(name="new"))
    api.patch(old, archived=True)
    assert [name for _, name in states_and_names(opened(api))] == ["new", "hers"]
    at = opened(api, archived="yes")
    assert [name for _, name in states_and_names(at)] == ["old"]
    at = opened(api, created_by="Ada Löwe")
    assert [name for _, name in states_and_names(at)] == ["hers"]
    assert list(at.dataframe[0].value["By"]) == ["Ada Löwe"]
    at.text_input(key="comparisons_created_by").set_value("nobody").run()
    assert "Nothing matches" in said(at)


def test_an_empty_archive_says_how_to_fill_it(api: Api) -> None:
    api.create(small())
    at = opened(api, archived="yes")
    assert "The archive is empty" in said(at)


def test_the_board_is_sorted_as_chosen(api: Api) -> None:
    for name in ("b", "a", "c"):
        api.create(small(name=name))
    at = opened(api)
    assert [name for _, name in states_and_names(at)] == ["c", "a", "b"]
    at.selectbox(key="comparisons_sort").set_value("name").run()
    assert [name for _, name in states_and_names(at)] == ["a", "b", "c"]
    assert at.query_params["sort"] in ("name", ["name"])
    assert [name for _, name in states_and_names(opened(api, sort="odd"))] == ["c", "a", "b"]


def test_columns_are_chosen_and_kept_in_the_address(api: Api) -> None:
    api.create(small())
    at = opened(api)
    usual = list(at.dataframe[0].proto.column_order)
    assert usual[:3] == ["Name", "State", "Progress"]
    assert {"Best arm", "Main metric", "Claims"} <= set(usual)
    at.button_group(key="comparisons_columns").set_value(["claims", "best"]).run()
    assert at.query_params["columns"] in ("best,claims", ["best,claims"])
    assert list(at.dataframe[0].proto.column_order) == ["Name", "Best arm", "Claims"]
    linked = opened(api, columns="by,claims,odd")
    assert list(linked.dataframe[0].proto.column_order) == ["Name", "Claims"]


def test_a_view_is_saved_opened_by_its_link_changed_and_deleted(api: Api) -> None:
    for name, tag in (("alpha", "odd"), ("beta", "even"), ("gamma", "odd")):
        api.create(small(name=name, tags=[tag]))
    at = opened(api, tag="odd", sort="name", columns="state,tags")
    at.text_input(key="view_name_").set_value("Odd ones").run()
    at.button(key="view_save").click().run()
    assert not at.exception
    [view] = api.views()
    assert (view["name"], view["sort"], view["columns"]) == ("Odd ones", "name", ["state", "tags"])
    linked = opened(api, view=view["id"])
    assert [name for _, name in states_and_names(linked)] == ["alpha", "gamma"]
    assert list(linked.dataframe[0].proto.column_order) == ["Name", "State", "Tags"]
    assert linked.selectbox(key="comparisons_view").value == view["id"]
    # What is changed now does not change the view, until it is updated.
    linked.text_input(key="comparisons_tag").set_value("").run()
    assert [name for _, name in states_and_names(linked)] == ["alpha", "beta", "gamma"]
    assert api.views() == [view]
    linked.button(key="view_update").click().run()
    assert api.views()[0]["filters"]["tag"] == ""
    linked.text_input(key=f"view_name_{view['id']}").set_value("All by name").run()
    linked.button(key="view_rename").click().run()
    assert [one["name"] for one in api.views()] == ["All by name"]
    linked.button(key="view_delete").click().run()
    assert not linked.exception
    assert api.views() == []
    assert [name for _, name in states_and_names(linked)] == ["gamma", "beta", "alpha"]


def test_a_view_is_opened_once_the_api_answers_again(api: Api) -> None:
    view = api.create_view(name="Odd", filters={"tag": "odd"})["id"]
    with httpx.Client(base_url="http://127.0.0.1:1", trust_env=False) as http:
        at = opened(Api(http), view=view)
        assert not at.warning, "whether there is such a view is not known"
        at.session_state["api"] = api
        at.run()
    assert at.text_input(key="comparisons_tag").value == "odd"


def test_a_link_of_a_deleted_view_says_so_and_shows_all(api: Api) -> None:
    api.create(small())
    at = opened(api, view="v0")
    assert "does not exist" in at.warning[0].value
    assert [name for _, name in states_and_names(at)] == ["small"]


def test_a_taken_name_of_a_view_is_said(api: Api) -> None:
    api.create_view(name="Mine")
    at = opened(api)
    at.text_input(key="view_name_").set_value("Mine").run()
    at.button(key="view_save").click().run()
    assert "another saved view is called" in at.error[0].value


def chosen_rows() -> None:
    """The actions on all comparisons, as if their rows were selected."""
    import streamlit as st  # noqa: PLC0415 - a page of its own

    from frontend.board import bulk  # noqa: PLC0415

    client = st.session_state["api"]
    bulk.show_problems()
    bulk.bulk_actions(client, client.comparisons(sort="name")["comparisons"])
    bulk.bulk_dialog(client)


def acting_on_all(client: Api) -> AppTest:
    at = AppTest.from_function(chosen_rows, default_timeout=90)
    at.session_state["api"] = client
    at.run()
    assert not at.exception, at.exception
    return at


def test_several_are_tagged_and_archived_at_once(api: Api) -> None:
    for name in ("a", "b"):
        api.create(small(name=name, tags=[name]))
    at = acting_on_all(api)
    assert "**2 comparisons**" in said(at)
    at.button(key="bulk_tag").click().run()
    at.text_input(key="bulk_tags_add").set_value('thesis, a, "b, c"').run()
    at.multiselect(key="bulk_tags_remove").set_value(["b"]).run()
    at.button(key="bulk_tags_apply").click().run()
    assert not at.exception
    found = {one["name"]: one["tags"] for one in api.comparisons()["comparisons"]}
    assert found == {"a": ["a", "thesis", "b, c"], "b": ["thesis", "a", "b, c"]}
    at.button(key="bulk_archive").click().run()
    assert api.comparisons()["total"] == 0
    assert api.comparisons(archived=True)["total"] == 2


def test_several_are_deleted_with_what_it_frees_and_a_problem_is_told_by_name(api: Api) -> None:
    own = {name: api.create(small(name=name, seeds=[0, 1]))["id"] for name in ("a", "*b*", "c")}
    at = acting_on_all(api)
    at.button(key="bulk_delete").click().run()
    assert "**3 comparisons** will be permanently deleted" in said(at)
    [figures] = [block.proto.body for block in at.get("html") if "lb-freed" in block.proto.body]
    assert "<b>6</b><span>runs</span>" in figures
    api.delete(own["c"])  # somebody else is quicker with one, and another is refused

    class Refusing(Api):
        def delete(self, comparison: str) -> None:
            if comparison == own["*b*"]:
                raise ApiError("unavailable", "the database is busy")
            super().delete(comparison)

    with httpx.Client(base_url=api._http.base_url, timeout=60) as http:
        at.session_state["api"] = Refusing(http)
        at.button(key="bulk_delete_all").click().run()
        assert not at.exception
        assert [one["name"] for one in api.comparisons()["comparisons"]] == ["*b*"]
        assert r"**\*b\***: the database is busy" in at.error[0].value
        at.button(key="bulk_problems_close").click().run()
        assert not at.error


def chosen_row() -> None:
    """The actions on the only comparison, as if its row were selected."""
    import streamlit as st  # noqa: PLC0415 - a page of its own

    from frontend.comparison.actions import board_dialog, row_actions  # noqa: PLC0415

    client = st.session_state["api"]
    found = client.comparisons(archived=st.session_state["archived"])["comparisons"]
    row_actions(client, found[0] if found else None)
    board_dialog(client)


def acting(client: Api, *, archived: bool = False) -> AppTest:
    at = AppTest.from_function(chosen_row, default_timeout=90)
    at.session_state["api"] = client
    at.session_state["archived"] = archived
    at.run()
    assert not at.exception, at.exception
    return at


def more(at: AppTest, option: str) -> AppTest:
    """Choose from the menu."""
    at.menu_button(key="comparisons_more").click(option).run()
    assert not at.exception, at.exception
    return at


def test_without_a_row_the_way_there_is_said(api: Api) -> None:
    at = acting(api)
    assert "select a row" in said(at)
    assert not at.menu_button


def test_delete_says_what_it_frees_and_then_the_comparison_is_gone(api: Api) -> None:
    own = api.create(small(name="*mine*", seeds=[0, 1]))["id"]
    at = more(acting(api), "Delete")
    assert r"**\*mine\*** will be permanently deleted with all its runs." in said(at)
    [figures] = [block.proto.body for block in at.get("html") if "lb-freed" in block.proto.body]
    assert "<b>2</b><span>runs</span>" in figures
    assert "<b>0</b><span>measured points</span>" in figures
    assert "0 bytes" in figures
    assert api.comparison(own)["id"] == own
    at.button(key=f"delete_{own}").click().run()
    assert not at.exception
    with pytest.raises(MissingError):
        api.comparison(own)
    assert "select a row" in said(at)
    assert not at.button


def test_instead_of_deleting_it_can_be_archived(api: Api) -> None:
    own = api.create(small())["id"]
    at = more(acting(api), "Delete")
    at.button(key=f"delete_archive_{own}").click().run()
    assert api.comparison(own)["archived"]


def test_the_dialog_of_a_comparison_deleted_meanwhile_is_closed(api: Api) -> None:
    own = api.create(small())["id"]
    at = more(acting(api), "Delete")
    api.delete(own)
    at.run()
    assert not at.exception
    assert not at.button


def test_cancel_ends_the_runs_and_is_then_no_longer_offered(api: Api) -> None:
    own = api.create(small())["id"]
    at = acting(api)
    at.button(key="comparisons_cancel").click().run()
    assert api.comparison(own)["state"] == "cancelled"
    assert "comparisons_cancel" not in [button.key for button in at.button]
    at.button(key="comparisons_retry").click().run()
    assert api.comparison(own)["state"] == "queued"


def test_archive_and_back(api: Api) -> None:
    own = api.create(small())["id"]
    more(acting(api), "Archive")
    assert api.comparison(own)["archived"]
    at = acting(api, archived=True)
    assert "Archive" not in at.menu_button(key="comparisons_more").options
    more(at, "Bring back from the archive")
    assert not api.comparison(own)["archived"]


def edited(at: AppTest) -> AppTest:
    at.button(key="comparisons_edit").click().run()
    assert not at.exception, at.exception
    return at


def test_name_tags_and_notes_are_changed_and_a_bad_one_is_refused(api: Api) -> None:
    own = api.create(small(tags=["one"]))["id"]
    at = edited(acting(api))
    at.text_input(key=f"edit_name_{own}").set_value("renamed")
    at.multiselect(key=f"edit_tags_{own}").set_value(["one", "two"])
    at.text_area(key=f"edit_notes_{own}").set_value("seen **twice** <b>raw</b>").run()
    assert "seen **twice** <b>raw</b>" in [block.value for block in at.markdown]
    assert not any(block.allow_html for block in at.markdown)
    assert api.comparison(own)["name"] == "small"
    at.button(key=f"edit_save_{own}").click().run()
    found = api.comparison(own)
    assert (found["name"], found["tags"]) == ("renamed", ["one", "two"])
    assert found["notes"] == "seen **twice** <b>raw</b>"
    assert not at.text_input, "the dialog is closed"
    at = edited(at)
    at.text_input(key=f"edit_name_{own}").set_value("")
    at.button(key=f"edit_save_{own}").click().run()
    assert "name" in at.error[0].value
    assert api.comparison(own)["name"] == "renamed"


def test_an_edit_does_not_undo_the_changes_of_others(api: Api) -> None:
    own = api.create(small())["id"]
    at = edited(acting(api))
    api.patch(own, notes="written meanwhile by another")
    at.text_input(key=f"edit_name_{own}").set_value("renamed")
    at.button(key=f"edit_save_{own}").click().run()
    found = api.comparison(own)
    assert (found["name"], found["notes"]) == ("renamed", "written meanwhile by another")


def test_the_same_text_edited_by_two_is_shown_to_the_second_who_keeps_both(api: Api) -> None:
    own = api.create(small(tags=["one"], notes="first"))["id"]
    at = edited(acting(api))
    api.patch(own, notes="theirs", add_tags=["two"])
    at.text_area(key=f"edit_notes_{own}").set_value("mine")
    at.multiselect(key=f"edit_tags_{own}").set_value(["one", "three"])
    at.button(key=f"edit_save_{own}").click().run()
    assert "changed the notes" in at.warning[0].value
    assert at.text_area(key=f"edit_notes_{own}").value == "mine"
    theirs = at.text_area(key=f"edit_theirs_notes_{own}_2")
    assert (theirs.value, theirs.disabled) == ("theirs", True)
    found = api.comparison(own)
    assert (found["notes"], found["tags"]) == ("theirs", ["one", "two"])
    at.button(key=f"edit_save_{own}").click().run()
    found = api.comparison(own)
    assert (found["notes"], found["tags"]) == ("mine", ["one", "two", "three"])
    assert not at.text_input, "the dialog is closed"


def test_the_second_may_take_the_text_of_the_first(api: Api) -> None:
    own = api.create(small())["id"]
    at = edited(acting(api))
    api.patch(own, name="theirs")
    at.text_input(key=f"edit_name_{own}").set_value("mine")
    at.button(key=f"edit_save_{own}").click().run()
    api.patch(own, notes="another change")
    at.button(key=f"edit_take_name_{own}").click().run()
    assert at.text_input(key=f"edit_name_{own}").value == "theirs"
    assert not at.warning
    at.button(key=f"edit_save_{own}").click().run()
    found = api.comparison(own)
    assert (found["name"], found["notes"]) == ("theirs", "another change")
    assert not at.text_input, "the dialog is closed"


def test_a_dialog_stays_through_the_pages_own_reruns(api: Api) -> None:
    own = api.create(small())["id"]
    at = edited(acting(api))
    at.text_input(key=f"edit_name_{own}").set_value("half typed").run()
    at.run()
    assert at.text_input(key=f"edit_name_{own}").value == "half typed"


def test_more_seeds_are_suggested_counted_and_queued(api: Api) -> None:
    own = api.create(small(seeds=[0, 1]))["id"]
    at = more(acting(api), "More seeds")
    text = at.text_input(key=f"seeds_text_{own}")
    assert text.value == "2-4"
    assert "It has seeds 0, 1 already. 3 seeds × 1 arm = 3 more runs, 5 in all." in said(at)
    text.set_value("7, x").run()
    assert "“x” is not a valid seed" in at.error[0].value
    assert at.button(key=f"seeds_add_{own}").disabled
    at.text_input(key=f"seeds_text_{own}").set_value("1, 7").run()
    at.button(key=f"seeds_add_{own}").click().run()
    assert r"seeds\[0\]\: seed 1 has its runs already" in at.error[0].value
    at.text_input(key=f"seeds_text_{own}").set_value("7, 9").run()
    at.button(key=f"seeds_add_{own}").click().run()
    assert api.comparison(own)["seeds"] == [0, 1, 7, 9]
    assert len(api.runs(own)) == 4
    assert not at.text_input


def test_a_queue_that_is_away_is_said(api: Api, broker: Broker) -> None:
    broker.kill()
    try:
        at = opened(api)
    finally:
        broker.start()
    assert "The queue does not answer" in said(at)
    assert "No comparison yet" in said(at)
