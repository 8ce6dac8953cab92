"""Whether arms were trained, from the states of their runs."""

from backend.db.models import Run
from backend.verdict.arm_states import arm_states, reasons_not_trained


def run(*states: str, arm: str = "x", ended: str = "succeeded") -> Run:
    found = [{"state": state, "step": 3, "message": "m"} for state in states]
    return Run(
        id="",
        comparison_id="",
        position=0,
        arm=arm,
        seed=0,
        created_at=0.0,
        state=ended,
        states=found,
    )


def test_an_arm_was_not_trained_if_more_than_half_of_its_ended_runs_were_not() -> None:
    half = arm_states(["x"], [run("collapsed"), run()])
    assert [(one.runs, one.of, one.not_trained) for one in half] == [(1, 2, False)]
    assert reasons_not_trained(half) == []
    most = arm_states(["x"], [run("collapsed"), run("collapsed"), run()])
    assert [(one.runs, one.of, one.not_trained) for one in most] == [(2, 3, True)]
    assert reasons_not_trained(most) == [
        "x collapsed to a space without differences in 2 of 3 runs."
    ]


def test_runs_with_different_states_count_together() -> None:
    runs = [run("collapsed"), run("overflow", ended="failed"), run()]
    found = arm_states(["x"], runs)
    assert [(one.state, one.runs, one.not_trained) for one in found] == [
        ("collapsed", 1, True),
        ("overflow", 1, True),
    ]


def test_runs_that_have_not_ended_and_other_arms_do_not_count() -> None:
    runs = [
        run("collapsed"),
        run("collapsed", ended="running"),
        run("collapsed", ended="cancelled"),
        run(),
        run("collapsed", arm="y"),
    ]
    [one] = arm_states(["x"], runs)
    assert (one.runs, one.of, one.not_trained) == (1, 2, False)


def test_a_network_that_became_worse_was_trained_all_the_same() -> None:
    found = arm_states(["x"], [run("below_backbone", "below_untrained")])
    assert [(one.state, one.not_trained) for one in found] == [
        ("below_backbone", False),
        ("below_untrained", False),
    ]
    assert found[0].said == "x ended worse than the raw backbone in 1 of 1 run."


def test_a_healthy_arm_has_no_state() -> None:
    assert arm_states(["x", "y"], [run(), run(arm="y")]) == []
    assert arm_states(["x"], []) == []
