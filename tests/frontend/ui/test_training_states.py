"""States of runs as texts."""

import re
from typing import Any, cast, get_args

from contract.metrics import states
from frontend.api.types import ArmRun, Run
from frontend.ui.assets import LIVE_FOLDER
from frontend.ui.training_states import NAMES, NOT_TRAINED, arm_marks, state_names, warned


def run(arm: str, seed: int, state: str, *noticed: str) -> Run:
    told = [{"state": one, "step": 1, "message": f"{one} of {seed}."} for one in noticed]
    row: dict[str, Any] = {"arm": arm, "seed": seed, "state": state, "states": told}
    return cast(Run, row)


def test_every_state_has_a_name_here_and_in_the_browser() -> None:
    assert set(NAMES) == set(get_args(states.State))
    assert set(NOT_TRAINED) == set(states.NOT_TRAINED)
    script = (LIVE_FOLDER / "js" / "states.js").read_text(encoding="utf-8")
    table = re.search(r"NAMES = \{(.*?)\};", script, re.DOTALL)
    assert table
    assert dict(re.findall(r"(\w+): \"(.+?)\"", table[1])) == NAMES


def test_states_are_told_by_kind_the_most_serious_first() -> None:
    runs = [
        run("a", 0, "succeeded", "below_backbone"),
        run("a", 1, "running", "collapsed", "below_backbone"),
        run("a", 2, "queued"),
        run("b", 0, "failed", "collapsed"),
        run("c", 0, "succeeded"),
    ]
    collapsed, below = warned(runs)
    assert (collapsed.name, collapsed.serious) == ("collapsed", True)
    assert collapsed.arms == "a in 1 of 2 runs, b in 1 of 1 run"
    assert collapsed.message == "a, seed 1: collapsed of 1."
    assert (below.name, below.serious) == ("below the raw backbone", False)
    assert below.arms == "a in 2 of 2 runs"
    assert (collapsed.sign, below.sign) == ("⚠", "↓")
    assert warned([]) == []
    assert state_names(runs[1]["states"]) == "⚠ collapsed, ↓ below the raw backbone"


def test_the_runs_of_one_arm_are_told_in_a_line() -> None:
    runs = [
        run("a", 0, "succeeded", "below_backbone"),
        run("a", 1, "running", "collapsed", "below_backbone"),
        run("a", 2, "queued"),
    ]
    assert arm_marks(cast(list[ArmRun], runs)) == (
        "⚠ collapsed in 1 of 2, ↓ below the raw backbone in 2 of 2"
    )
    assert arm_marks(cast(list[ArmRun], [run("a", 0, "succeeded")])) == ""
