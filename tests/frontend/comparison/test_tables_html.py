from frontend.comparison import tables_html
from frontend.comparison.results_table import Cell, Line, Section
from frontend.comparison.spec_text import Fact, Setting
from frontend.ui.theme import arm_styles

BAD = "<script>alert(1)</script>"


def test_every_text_of_a_user_is_escaped() -> None:
    comparison = {
        "id": "c1",
        "tags": [BAD],
        "created_by": BAD,
        "created_at": "2026-11-23T14:05:00.123Z",
    }
    pages = [
        tables_html.head_html(comparison, [Fact("Data", BAD)], BAD),
        tables_html.settings_table(arm_styles([BAD]), [Setting(BAD, (BAD,))], "light"),
    ]
    for page in pages:
        assert "<script" not in page
        assert "&lt;script&gt;" in page
    assert "2026-11-23 14:05 UTC" in pages[0]


def test_an_archived_comparison_is_marked() -> None:
    comparison = {"id": "c1", "tags": ["t"], "created_by": "", "created_at": "2026-11-23T14:05:00Z"}
    assert "in the archive" not in tables_html.head_html({**comparison, "archived": False}, [], "")
    assert "in the archive" in tables_html.head_html({**comparison, "archived": True}, [], "")


def test_the_table_carries_the_arms_colours_and_the_marks() -> None:
    cells = (Cell("0.9", " ± 0.1", "0.8 … 1", 3, "best"), None)
    section = Section("Test", (Line("retrieval.map_at_r", "MAP@R", "higher", cells),))
    styles = arm_styles(["a", "b"])
    page = tables_html.results_table(styles, section, "dark")
    for style in styles.values():
        assert style.dark in page
    assert "●" in page
    assert "0.8 … 1 · n = 3" in page
    assert "<td><small>not measured</small></td>" in page


def test_families_untrained_values_and_differences_have_their_places() -> None:
    cells = (Cell("0.9", "", "", 1), Cell("0.8", "", "", 1))
    difference = Cell("+0.1", "", "+0.05 … +0.15", 3, note="p = 0.25, least possible 0.25")
    lines = (
        Line("geometry.hubness", "Hubness", None, cells),
        Line("geometry.alignment", "Alignment", None, cells, untrained="0.3"),
        Line("retrieval.map_at_r", "MAP@R", "higher", cells, difference=difference),
    )
    page = tables_html.results_table(arm_styles(["a", BAD]), Section("T", lines), "light")
    assert page.count("class='lb-family'") == 2
    assert page.count("colspan='5'") == 2
    assert "<th scope='col'>untrained</th><th scope='col'>a − &lt;script&gt;" in page
    assert "<td class='lb-untrained'>0.3</td>" in page
    assert "+0.05 … +0.15 · n = 3 · p = 0.25, least possible 0.25" in page
    plain = tables_html.results_table(
        arm_styles(["a", "b"]), Section("T", (Line("dynamics.loss", "Loss", None, cells),)), "dark"
    )
    assert "untrained" not in plain
    assert "a − b" not in plain
    assert "lb-family" not in plain


def test_reference_values_have_columns() -> None:
    cells = (Cell("0.9", "", "", 1),)
    lines = (
        Line("retrieval.recall_at_1", "R@1", "higher", cells, references={"raw backbone": "0.4"}),
        Line("retrieval.map_at_r", "MAP@R", "higher", cells),
    )
    page = tables_html.results_table(arm_styles(["a"]), Section("T", lines), "light")
    assert "<th scope='col'>raw backbone</th></tr>" in page
    assert "<td class='lb-untrained'>0.4</td></tr>" in page
    assert "<td class='lb-untrained'>–</td></tr>" in page


def test_a_setting_that_differs_is_highlighted_but_the_loss_is_not() -> None:
    rows = [Setting("Loss", ("x", "y")), Setting("Margin", ("1", "2")), Setting("Tuples", ("", ""))]
    page = tables_html.settings_table(arm_styles(["a", "b"]), rows, "light")
    assert page.count("lb-differs") == 1
    assert "<td>–</td>" in page


def test_values_that_are_searched_stand_below_the_one_that_is_written() -> None:
    rows = [Setting("Margin", ("1", "2"), searched=("0.1 to <2", ""))]
    page = tables_html.settings_table(arm_styles(["a", "b"]), rows, "light")
    assert "<td>1<small>tuned: 0.1 to &lt;2</small></td><td>2</td>" in page
