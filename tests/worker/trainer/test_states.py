"""States of runs, from scripted values: when each begins, and when it is over."""

import math
from collections.abc import Sequence

import pytest

from contract.comparison.loss import (
    ArcFaceLoss,
    ContrastiveLoss,
    InfoNceLoss,
    Loss,
    NPairLoss,
    TripletLoss,
)
from contract.metrics.states import WORSE_BY
from worker.trainer.states import (
    NO_TUPLE_STEPS,
    STEADY_STEPS,
    Notice,
    TrainingStates,
    is_angular,
)

EPOCH = 10


def states(
    *, epoch: int = EPOCH, angular: bool = True, backbone: float | None = None
) -> TrainingStates:
    references = {} if backbone is None else {"backbone.retrieval.map_at_r": backbone}
    return TrainingStates(steps_per_epoch=epoch, angular=angular, references=references)


def geometry(
    cosine: float,
    *,
    norm: float = 1.0,
    rank: float | None = 8.0,
    score: float = 0.5,
    place: str = "",
) -> dict[str, float]:
    values = {
        f"{place}geometry.mean_cosine": cosine,
        f"{place}geometry.mean_norm": norm,
        "retrieval.map_at_r": score,
    }
    return values if rank is None else values | {f"{place}geometry.effective_rank": rank}


def step(loss: float = 0.5, trivial: float | None = 1.0, *, invalid: int = 0) -> dict[str, float]:
    values = {
        "dynamics.loss": loss,
        "dynamics.valid_tuples": 0.0 if invalid else 7.0,
        "dynamics.invalid_steps": float(invalid),
    }
    return values if trivial is None else values | {"dynamics.trivial_loss": trivial}


def epochs(
    of: TrainingStates,
    losses: Sequence[float],
    evaluations: Sequence[dict[str, float]],
    trivial: float | None = 1.0,
) -> list[tuple[str, int, bool]]:
    """Take one epoch for each loss, and evaluate after it; return all changes."""
    of.after_evaluation(0, evaluations[0])
    seen: list[Notice] = []
    for epoch, (loss, values) in enumerate(zip(losses, evaluations[1:], strict=True)):
        for at in range(epoch * EPOCH + 1, (epoch + 1) * EPOCH + 1):
            seen += of.after_step(at, step(loss, trivial))
        seen += of.after_evaluation((epoch + 1) * EPOCH, values)
    return [(one.state, one.step, one.over) for one in seen]


APART = geometry(0.2)
POINT = geometry(0.999)


def test_collapsed_since_the_step_from_which_the_loss_stays_at_its_trivial_value() -> None:
    of = states()
    changes = epochs(of, [0.5, 1.0, 1.0, 1.0, 1.0, 1.0], [APART, APART, APART, *[POINT] * 4])
    [(state, since, over)] = changes
    assert (state, over) == ("collapsed", False)
    assert 20 < since < 40, "apart at step 20, and the mean loss takes some steps to arrive"
    [notice] = of.current
    assert f"since step {since}" in notice.message
    assert "Lower the learning rate, start with semi-hard" in notice.message
    assert "0.999" in notice.message


@pytest.mark.parametrize(
    ("losses", "after"),
    [
        ([0.9, 0.9, 0.9, 0.9], POINT),  # a narrow space in which the loss still falls
        ([1.0, 1.0, 1.0, 1.0], APART),  # a loss that says little, in a wide space
        ([1.0, 1.0, 1.0, 1.0], geometry(0.9)),  # not a tenth of the spread
        ([1.2, 1.0, 0.6, 0.1], POINT),  # it only passes by
    ],
)
def test_one_sign_alone_is_no_collapse(losses: list[float], after: dict[str, float]) -> None:
    assert epochs(states(), losses, [geometry(0.2), *[after] * 4]) == []


def test_a_space_that_was_as_narrow_untrained_has_not_collapsed() -> None:
    narrow = geometry(0.9995)
    assert epochs(states(), [1.0] * 4, [narrow] * 5) == []


def test_a_loss_just_at_the_bound_does_not_turn_the_state_on_and_off() -> None:
    of = states()
    wavering = [1.0, 1.0, 1.0, 0.985, 0.995, 0.985, 0.995]
    [(state, *_)] = epochs(of, wavering, [APART, *[POINT] * 7])
    assert state == "collapsed"


def test_a_collapse_is_over_when_the_embeddings_move_apart() -> None:
    of = states()
    changes = epochs(of, [1.0, 1.0, 1.0, 0.5], [APART, POINT, POINT, POINT, APART])
    assert [(state, over) for state, _, over in changes] == [
        ("collapsed", False),
        ("collapsed", True),
    ]
    assert changes[1][1] == 40
    assert of.current == []


@pytest.mark.parametrize(
    ("loss", "after", "reason"),
    [(1.0, APART, "embeddings have moved apart"), (0.5, POINT, "loss is no longer that of a")],
)
def test_the_end_of_a_collapse_names_what_has_changed(
    loss: float, after: dict[str, float], reason: str
) -> None:
    of = states()
    assert len(epochs(of, [1.0] * 3, [APART, *[POINT] * 3])) == 1
    for at in range(31, 51):
        of.after_step(at, step(loss))
    [over] = of.after_evaluation(50, after)
    assert over.over
    assert reason in over.message


def test_unnormalised_embeddings_that_shrink_to_the_origin_have_collapsed() -> None:
    """Their directions say nothing: only the lengths do."""
    small, large = geometry(0.2, norm=0.01), geometry(0.2, norm=1.0)
    assert len(epochs(states(angular=False), [1.0] * 4, [large, *[small] * 4])) == 1
    assert epochs(states(angular=True), [1.0] * 4, [large, *[small] * 4]) == []


def test_one_of_two_modalities_that_collapses_is_enough() -> None:
    before = geometry(0.2, place="audio.") | geometry(0.2, place="visual.") | APART
    after = before | geometry(0.9999, place="visual.")
    [(state, *_)] = epochs(states(), [1.0] * 4, [before, *[after] * 4])
    assert state == "collapsed"


def test_without_a_trivial_value_the_geometry_alone_decides() -> None:
    wide, point, line = geometry(0.2), geometry(0.999, rank=8), geometry(0.999, rank=2)
    gone = geometry(1.0, rank=None)  # all coincide
    for after, count in ((point, 0), (line, 1), (gone, 1), (geometry(0.5, rank=2), 0)):
        assert len(epochs(states(), [3.0] * 2, [wide, after, after], None)) == count


def test_steps_without_any_valid_tuple_are_known_after_an_epoch_at_the_latest() -> None:
    of = states()
    changes = [one for at in range(1, 31) for one in of.after_step(at, step(math.nan, invalid=at))]
    assert [(one.state, one.step) for one in changes] == [("no_valid_tuple", EPOCH)]
    assert "None of the first 10 batches" in changes[0].message
    of.after_evaluation(0, APART)
    assert of.after_evaluation(30, POINT) == []
    [over] = of.after_step(31, step())
    assert (over.state, over.over) == ("no_valid_tuple", True)
    assert of.after_step(32, step(invalid=31)) == [], "one tuple was enough"


def test_a_long_epoch_is_not_waited_for() -> None:
    of = states(epoch=10_000)
    changes = [one for at in range(1, 99) for one in of.after_step(at, step(math.nan, invalid=at))]
    assert [one.step for one in changes] == [NO_TUPLE_STEPS]


def test_below_a_reference_from_the_first_evaluation_that_is_clearly_worse() -> None:
    of = states(backbone=0.6)
    of.after_evaluation(0, geometry(0.2, score=0.5))
    seen = []
    just_below = 0.5 - WORSE_BY / 2
    for at, score in enumerate((0.55, just_below, 0.4, 0.45, just_below, 0.5, 0.59, 0.7), start=1):
        changes = of.after_evaluation(at, geometry(0.2, score=score))
        seen += [(one.state, one.step, one.over) for one in changes]
    assert seen == [
        ("below_backbone", 1, False),
        ("below_untrained", 3, False),
        ("below_untrained", 6, True),
        ("below_backbone", 8, True),
    ]


def test_states_go_on_from_a_checkpoint() -> None:
    evaluations = [APART, APART, POINT, POINT, POINT, geometry(0.999, score=0.2)]
    losses = [0.5, 1.0, 1.0, 1.0, 1.0]
    whole = states(backbone=0.6)
    expected = epochs(whole, losses, evaluations)
    assert {state for state, *_ in expected} == {"collapsed", "below_backbone", "below_untrained"}
    for stop in range(1, 50):
        first, second = states(backbone=0.6), states(backbone=0.6)
        first.after_evaluation(0, evaluations[0])
        for of, steps in ((first, range(1, stop + 1)), (second, range(stop + 1, 51))):
            if of is second:
                second.load_state_dict(first.state_dict())
            for at in steps:
                epoch = (at - 1) // EPOCH
                of.after_step(at, step(losses[epoch]))
                if at % EPOCH == 0:
                    of.after_evaluation(at, evaluations[epoch + 1])
        assert second.current == whole.current


def test_a_run_without_an_untrained_baseline_is_not_judged_by_it() -> None:
    """A checkpoint of an older version has no states."""
    of = states()
    for at in range(1, STEADY_STEPS + 10):
        of.after_step(at, step(1.0))
    assert of.after_evaluation(40, geometry(0.999, score=0.01)) == []


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (TripletLoss(), False),
        (TripletLoss(distance="cosine"), True),
        (ContrastiveLoss(), False),
        (NPairLoss(), False),
        (InfoNceLoss(), True),
        (ArcFaceLoss(), True),
    ],
)
def test_what_only_sees_directions(loss: Loss, expected: bool) -> None:
    assert is_angular(loss, normalize=False) == expected
    assert is_angular(loss, normalize=True)
