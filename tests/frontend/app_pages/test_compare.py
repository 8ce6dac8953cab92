"""The page that compares arms side by side, against the real API, through the entry page."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from backend.runs import repository as runs
from frontend.api.client import Api
from frontend.api.types import Arm, ArmCurve, ArmTable
from frontend.compare import curves_figure as curves
from frontend.compare import scatter_figure as scatter
from frontend.compare import tables
from frontend.compare.arm_table import SORT_ORDERS, TRAINED
from frontend.compare.selection import arm_labels, arm_reference
from frontend.errors import ApiError
from frontend.ui.text import escape_markdown
from frontend.ui.theme import arm_styles
from tests.support import long_runs
from tests.support.broker import Broker
from tests.support.comparison_page import charts_of
from tests.support.open_board import Board, open_board
from tests.support.ports import free_ports
from tests.support.specs import small

MAIN = Path(__file__).resolve().parents[3] / "frontend" / "main.py"


@pytest.fixture
def board(tmp_path: Path, broker: Broker) -> Iterator[Board]:
    """A running API of each test's own: what `filled` stores is no work of people to delete."""
    with open_board(tmp_path, broker) as running:
        yield running


@pytest.fixture
def filled(board: Board, api: Api) -> Api:
    """Two comparisons of two arms x two seeds, 400 steps each."""
    long_runs.fill(board[1], comparisons=2, arms=2, seeds=2, steps=400)
    return api


def references(client: Api) -> list[str]:
    return [arm_reference(arm) for arm in client.arms()["arms"]]


def opened(client: Api, **query: Any) -> AppTest:
    at = AppTest.from_file(str(MAIN), default_timeout=90)
    at.session_state["api"] = client
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page("app_pages/compare.py")
    at.run()
    assert not at.exception, at.exception
    return at


def said(at: AppTest) -> str:
    return "\n".join(block.value for block in [*at.markdown, *at.caption, *at.warning])


def test_without_any_arm_the_way_to_the_first_is_shown(api: Api) -> None:
    at = opened(api)
    assert "No arm yet" in said(at)
    assert "Choose two arms or more" in said(at)
    assert not at.dataframe


def test_arms_of_all_comparisons_are_listed_and_nothing_is_compared_yet(filled: Api) -> None:
    at = opened(filled)
    rows = at.dataframe[0].value
    assert list(rows["Arm"]) == [arm["arm"] for arm in filled.arms()["arms"]]
    assert list(rows["Seeds"]) == [2] * 4
    assert rows["Comparison"].iloc[0].endswith("#long%20runs%202")
    assert "Choose two arms or more" in said(at)
    assert not at.header


def test_one_arm_is_not_compared(filled: Api) -> None:
    at = opened(filled, arm=references(filled)[:1])
    assert at.multiselect(key="compare_chosen").value == references(filled)[:1]
    assert "Choose two arms or more" in said(at)


def test_the_address_alone_restores_the_view(filled: Api) -> None:
    asked = references(filled)[::-1]
    at = opened(
        filled, arm=asked, metric="dynamics.loss", x="epoch", lines="seeds", smooth="0.9", log="1"
    )
    assert at.multiselect(key="compare_chosen").value == asked
    assert at.selectbox(key="compare_metric").value == "dynamics.loss"
    assert at.selectbox(key="compare_smooth").value == "0.9"
    assert at.toggle(key="compare_log").value
    assert at.session_state["compare_x"] == "epoch"
    drawn, dots = charts_of(at)
    assert drawn["name"] == "Loss"
    assert "One line per seed" in drawn["caption"]
    assert "smoothed, 0.9 of the past" in drawn["caption"]
    assert len(drawn["figure"]["data"]) == 8
    assert drawn["figure"]["layout"]["yaxis"]["type"] == "log"
    assert drawn["figure"]["layout"]["xaxis"]["title"]["text"] == "Epoch"
    # The look goes by the order of choice.
    styles = list(arm_styles(asked).values())
    assert drawn["figure"]["data"][-1]["line"]["color"] == styles[3].light
    assert len(dots["figure"]["data"]) >= 1


def test_by_default_means_with_bands_not_smoothed(filled: Api) -> None:
    drawn = charts_of(opened(filled, arm=references(filled)))[0]
    assert drawn["caption"].startswith("Mean over seeds with its 95 % band (Student's t); not smoo")
    assert [trace.get("fill") for trace in drawn["figure"]["data"]] == ["toself", None] * 4


def test_values_and_the_settings_that_differ_are_shown(filled: Api) -> None:
    asked = references(filled)[:2]
    at = opened(filled, arm=asked, measure=["retrieval.recall_at_1", "dynamics.loss"])
    html = [block.proto.body for block in at.get("html")]
    [told] = [text for text in html if "Best (validation)" in text]
    found = filled.arm_values(asked, ["retrieval.recall_at_1"])
    last = found["metrics"][0]["arms"][0]["last"]
    assert last is not None
    assert last["mean"] is not None
    assert f"<b>{last['mean']:.4g}</b>" in told
    assert "Recall@1" in told
    assert "MAP@R" not in told
    [settings] = [text for text in html if "loss.margin" in text or "loss.kind" in text]
    assert "training.epochs" not in settings


def test_arms_that_did_not_train_are_marked(board: Board, filled: Api) -> None:
    asked = references(filled)[:2]
    assert TRAINED not in opened(filled, arm=asked).dataframe[0].value
    comparison, _, arm = asked[0].partition("~")
    with board[1].write() as write:
        own = [run for run in runs.of_comparison(write.session, comparison) if run.arm == arm]
        own[1].states = [{"state": "collapsed", "step": 7, "message": "All are alike."}]
    at = opened(filled, arm=asked)
    table = at.dataframe[0].value
    marked = table[table[TRAINED] != ""]
    assert list(marked["Arm"]) == [arm]
    assert list(marked[TRAINED]) == ["⚠ collapsed in 1 of 2"]
    assert comparison in marked["Comparison"].iloc[0]
    told = f"{arm} in 1 of 2 runs. {arm}, seed {own[1].seed}: All are alike."
    assert f"**⚠ collapsed**: {escape_markdown(told)}" in said(at)


def test_arms_that_do_not_exist_are_named_and_the_others_shown(filled: Api) -> None:
    at = opened(filled, arm=[*references(filled)[:2], "c0~gone"])
    assert "`c0~gone`" in said(at)
    assert len(charts_of(at)[0]["figure"]["data"]) == 4
    nobody = opened(filled, arm=["c0~gone"])
    assert "`c0~gone`" in said(nobody)
    assert "Choose two arms or more" in said(nobody)


def test_more_arms_than_can_be_compared_give_a_warning(filled: Api) -> None:
    at = opened(filled, arm=[*references(filled), *(f"c0~{i}" for i in range(40))])
    assert "40 arms can be compared at once" in said(at)
    assert len(charts_of(at)[0]["figure"]["data"]) == 8


def test_filters_are_in_the_address_and_keep_the_choice(filled: Api) -> None:
    asked = references(filled)[:2]
    at = opened(filled, arm=asked, q="no such words")
    assert "Nothing matches" in said(at)
    assert at.text_input(key="compare_q").value == "no such words"
    assert at.multiselect(key="compare_chosen").value == asked
    at.text_input(key="compare_q").set_value("runs even").run()
    assert not at.exception
    assert at.query_params["q"] in ("runs even", ["runs even"])
    assert list(at.dataframe[0].value["Comparison"].str.endswith("#long%20runs%201")) == [True] * 2
    at.selectbox(key="compare_loss").set_value("contrastive").run()
    assert set(at.dataframe[0].value["Loss"]) == {"Contrastive"}
    at.selectbox(key="compare_order").set_value("oldest first").run()
    assert at.query_params["order"] in ("oldest first", ["oldest first"])


def test_taking_an_arm_out_changes_the_address(filled: Api) -> None:
    asked = references(filled)
    at = opened(filled, arm=asked)
    at.multiselect(key="compare_chosen").set_value(asked[1:]).run()
    assert not at.exception
    assert at.query_params["arm"] == asked[1:]
    assert len(charts_of(at)[0]["figure"]["data"]) == 6
    at.multiselect(key="compare_chosen").set_value([]).run()
    assert "arm" not in at.query_params
    assert "Choose two arms or more" in said(at)


@pytest.mark.parametrize("query", [{"page": "99"}, {"page": "x"}, {"metric": "no"}, {"x": "no"}])
def test_an_odd_address_shows_a_real_view(filled: Api, query: dict[str, str]) -> None:
    at = opened(filled, arm=references(filled)[:2], **query)
    assert len(at.dataframe[0].value) == 4
    assert charts_of(at)[0]["name"] == "MAP@R"


def test_arms_without_values_say_that_they_come(api: Api) -> None:
    arms = [
        {"name": "a", "loss": {"kind": "triplet"}},
        {"name": "b", "loss": {"kind": "contrastive"}},
    ]
    api.create(small(arms=arms))
    at = opened(api, arm=references(api))
    assert "No measurements yet" in said(at)
    assert not charts_of(at)


def test_an_api_that_is_away_is_said(filled: Api) -> None:
    asked = references(filled)[:2]
    [port] = free_ports(1)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        at = opened(Api(http), arm=asked)
        assert "The arms cannot be read now" in said(at)
        at.session_state["api"] = filled
        at.button(key="compare_again").click().run()
    assert at.multiselect(key="compare_chosen").value == asked


def test_an_api_that_leaves_in_between_takes_no_other_part_with_it(
    filled: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(*_: Any, **__: Any) -> Any:
        raise ApiError("unavailable", "the database is closed")

    monkeypatch.setattr(filled, "arm_curves", leave)
    at = opened(filled, arm=references(filled)[:2])
    assert "The curves cannot be read now: the database is closed" in said(at)
    assert len(charts_of(at)) == 1


def test_scatter_of_runs_and_arms_and_its_csv(filled: Api) -> None:
    asked = references(filled)
    key = "retrieval.map_at_r"
    found = filled.arm_values(asked, [key, "dynamics.auc"])
    names = arm_labels(found["arms"])
    runs = scatter.scatter_points(found, names, x="dynamics.auc", y=key, of="last", each="run")
    assert len(runs) == 8
    assert runs[0].name == f"{names[0]}, seed 0"
    first = found["metrics"][0]["arms"][0]["runs"][0]
    assert (runs[0].y, runs[0].seed) == (first["last"], 0)
    means = scatter.scatter_points(
        found, names, x="encoder.embedding_dim", y=key, of="test", each="arm"
    )
    assert [dot.x for dot in means] == [
        arm["settings"]["encoder.embedding_dim"] for arm in found["arms"]
    ]
    test = found["metrics"][0]["arms"][0]["test"]
    assert test is not None
    assert (means[0].y, means[0].y_sd) == (test["mean"], test["sd"])
    # A trait has no test value, and an arm without a margin none of that.
    assert (
        scatter.scatter_points(found, names, x="dynamics.auc", y=key, of="test", each="run") == []
    )
    rows = list(csv.reader(io.StringIO(scatter.scatter_csv(runs, x="dynamics.auc", y=key))))
    assert rows[0][4:] == ["seed", "dynamics.auc", "dynamics.auc_sd", key, f"{key}_sd"]
    assert float(rows[1][7]) == runs[0].y
    assert len(rows) == 9


def test_scatter_axes_and_colours() -> None:
    arm = cast(Arm, {"loss": "triplet", "comparison": "c", "comparison_name": "n", "arm": "a"})
    other = cast(Arm, {**arm, "loss": "contrastive"})
    dots = [scatter.Point(arm, "<b>", 0.1, 2.0, y_sd=0.5), scatter.Point(other, "o", 1.0, 3.0)]
    drawn = scatter.scatter_figure(dots, x="X", y="Y", log_x=True, log_y=False)
    assert [trace.name for trace in drawn.data] == ["contrastive", "triplet"]
    assert drawn.data[0].marker.symbol != drawn.data[1].marker.symbol
    assert drawn.data[0].marker.color != drawn.data[1].marker.color
    assert (drawn.layout.xaxis.type, drawn.layout.yaxis.type) == ("log", None)
    assert drawn.data[1].text[0] == "&lt;b&gt;"
    assert drawn.data[1].error_y.array[0] == 0.5
    assert scatter.all_positive([1, 2.5])
    others: list[list[Any]] = [[], [0], [1, -1], ["a"], [True]]
    assert not any(scatter.all_positive(values) for values in others)


def test_the_table_as_csv_has_the_settings_that_differ(filled: Api) -> None:
    found = filled.arm_values(references(filled), ["retrieval.map_at_r"])
    rows = list(csv.DictReader(io.StringIO(tables.values_csv(found))))
    assert len(rows) == 4
    last = found["metrics"][0]["arms"][3]["last"]
    assert last is not None
    assert float(rows[3]["last_mean"]) == last["mean"]
    assert rows[3]["last_n"] == "2"
    assert float(rows[0]["encoder.embedding_dim"]) == 32
    assert "training.epochs" not in rows[0]


def test_no_name_becomes_a_formula_or_markup() -> None:
    arm = cast(Arm, {"comparison": "c", "comparison_name": "=1+1", "arm": "<b>", "loss": "triplet"})
    metric = {"key": "k", "label": "<i>", "better": None, "unit": ""}
    empty: dict[str, Any] = {
        "last": None,
        "best": None,
        "best_epoch": None,
        "test": None,
        "runs": [],
    }
    differs = [{"setting": "data.folder", "label": "Folder", "values": ["=x<u>"]}]
    found = {"arms": [arm], "metrics": [{**metric, "arms": [empty]}], "differs": differs}
    table = cast(ArmTable, {**found, "unknown": [], "keys": []})
    rows = list(csv.reader(io.StringIO(tables.values_csv(table))))
    assert (rows[1][1], rows[1][-1]) == ("'=1+1", "'=x<u>")
    styles = arm_styles(["<b>"])
    html = tables.values_table(table, styles, "light")
    html += tables.settings_table(table["differs"], styles, "light")
    assert not any(tag in html.replace("<b></b>", "") for tag in ("<b>", "<i>", "<u>"))


def test_labels_are_short_and_never_alike() -> None:
    def named(*arms: tuple[str, str, str]) -> list[str]:
        keys = ("comparison", "comparison_name", "arm")
        return arm_labels([cast(Arm, dict(zip(keys, arm, strict=True))) for arm in arms])

    assert named(("c1", "one", "a"), ("c1", "one", "b")) == ["a", "b"]
    assert named(("c1", "one", "a"), ("c2", "two", "a")) == ["one: a", "two: a"]
    long = "a comparison with a very long name"
    assert named(("c1", long, "a"), ("c2", "two", "a"))[0] == "a comparison with a very lo…: a"
    assert named(("c1", f"{long} 1", "a"), ("c2", f"{long} 2", "a")) == [
        f"{long} 1: a",
        f"{long} 2: a",
    ]
    assert named(("c1111", "one", "a"), ("c2222", "one", "a")) == ["one (1111): a", "one (2222): a"]
    assert named() == []


def test_curves_along_epochs_and_time_and_smoothing() -> None:
    curve = cast(
        ArmCurve,
        {
            "steps": [0, 10, 20],
            "steps_per_epoch": 10,
            "elapsed": [0.0, 3.0, None],
            "width": 8,
            "mean": [1.0, 0.0, None],
        },
    )
    assert curves.x_values(curve, "step") == [0, 10, 20]
    assert curves.x_values(curve, "epoch") == [0, 1, 2]
    assert curves.x_values(curve, "time") == [0, 3, 3]
    assert curves.smooth_values([1.0, None, 0.0], 0) == [1.0, None, 0.0]
    first, gap, last = curves.smooth_values([1.0, None, 0.0], 0.5)
    assert (first, gap) == (1.0, None)
    assert last == pytest.approx(1 / 3)  # weights 1/4 and 1/2 over their sum
    said = curves.caption([curve], lines="mean", axis="time", smooth=0.0, meaning="M.")
    assert "each point is the mean of 8 steps; not smoothed; time without measuring" in said


def test_the_more_runs_the_fewer_points() -> None:
    asked = [curves.max_points(runs) for runs in (2, 20, 60, 200, 4000)]
    assert asked == sorted(asked, reverse=True)
    assert asked[0] > asked[-1] >= 100


def test_every_order_is_one_of_the_apis(filled: Api) -> None:
    for sort, descending in SORT_ORDERS.values():
        assert filled.arms(sort=sort, descending=descending)["total"] == 4
