"""The tables of a search, with names as hostile as people may type."""

from typing import Any

from contract.catalogue.catalogue import catalogue
from frontend.comparison.tuning.summary_table import HEADS, search_table
from frontend.comparison.tuning.tables import arms_html, settings_html, trial_rows
from frontend.ui.theme import arm_styles
from tests.support.searches import search, searched

EVIL = "<script>alert(1)</script>"
STYLES = arm_styles(["contrastive", "triplet", EVIL])
TITLES = {"loss.margin": "Margin", "training.optimizer.lr": EVIL}


def hostile() -> Any:
    arm = searched(EVIL, [0.5, 0.625, None], waiting=1)
    arm["trials"][1]["params"]["loss.margin"] = EVIL
    arm["space"]["loss.margin"] = {"choices": [EVIL, 0.1]}
    return search(arms=[arm, searched("triplet", [None], default=None)])


def test_each_arm_has_its_best_value_its_gain_and_how_easy_it_is() -> None:
    said = arms_html(hostile(), STYLES, "light")
    assert EVIL not in said
    assert "<b>0.6250</b><small>trial 1</small></td><td>0.5000</td><td>+0.1250</td><td>50 %" in said
    assert "3 of 6<small>1 failed</small>" in said
    assert "<b>–</b></td><td>–</td><td>–</td><td>–</td>" in said  # nothing is complete


def test_best_settings_stand_with_what_was_searched() -> None:
    said = settings_html(hostile(), STYLES, "light", TITLES)
    assert EVIL not in said
    assert "<b>0.001</b><small>0.0001 to 0.01 (log)</small>" in said
    written = search(arms=[searched("triplet", [0.9, 0.5])])
    said = settings_html(written, STYLES, "light", TITLES)  # type: ignore[arg-type]
    assert "<b>as written</b><small>0.02 to 2 (log)</small>" in said


def test_each_trial_is_a_row_with_a_column_for_each_setting() -> None:
    rows = trial_rows(hostile(), TITLES, "MAP@R")
    assert len(rows) == 5
    assert rows[0] == {
        **{"Arm": EVIL, "Trial": 0, "": "as written", "State": "✓ complete", "MAP@R": 0.5},
        **{"Best epoch": 3, "Margin": None, EVIL: None},
    }
    assert (rows[1][""], rows[1]["Margin"], rows[1][EVIL]) == ("best", EVIL, 0.001)
    assert rows[2]["Margin"] == "0.2"  # a column with a text has texts only
    assert rows[3]["State"] == "◌ waiting"


def test_exports_have_the_same_in_words() -> None:
    spec = {"arms": [{"name": name, "loss": {"kind": "triplet"}} for name in (EVIL, "triplet")]}
    found = search_table(hostile(), spec, catalogue())
    assert len(found.arms[0]) == len(HEADS)
    assert found.arms[0] == [EVIL, "3", "1", "0.6250", "0.5000", "50 %"]
    assert found.arms[1] == ["triplet", "1", "1", "–", "–", "–"]
    assert found.settings[1] == ["Learning rate", "0.001 of 0.0001 to 0.01 (log)", "–"]
    assert found.label == "MAP@R"
