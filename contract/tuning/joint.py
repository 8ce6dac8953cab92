"""Whether the spaces of an arm go together: whatever is drawn from them must be a valid arm."""

from collections.abc import Mapping

from contract.comparison.loss import ContrastiveLoss
from contract.comparison.problems import Problem
from contract.comparison.spec import Arm
from contract.comparison.tuning import Choices, Range, Space
from contract.tuning.draws import MARGIN, NEAREST_POSITIVE, POSITIVE_MARGIN


def margin_problems(arm: Arm, search: Mapping[str, Space], path: str) -> list[Problem]:
    """Return how a draw could have a positive margin that is not below the margin.

    Where both are searched over ranges, `settled` brings them together; that needs a range of the
    positive margin that begins low enough.

    Args:
        arm: of the spec.
        search: its spaces that are valid each, by path.
        path: of the arm in the spec.
    """
    if not isinstance(arm.loss, ContrastiveLoss):
        return []
    margin, positive = search.get(MARGIN), search.get(POSITIVE_MARGIN)
    smallest = _ends(margin)[0] if margin else arm.loss.margin
    if isinstance(positive, Range) and margin is not None:
        if positive.low <= NEAREST_POSITIVE * smallest:
            return []
        message = (
            f"low {positive.low:g} is not below nine tenths of the smallest margin, {smallest:g}, "
            "that can be drawn with it; lower it, or raise the margin's"
        )
        return [Problem(f"{path}.search.{POSITIVE_MARGIN}", message)]
    largest = _ends(positive)[1] if positive else arm.loss.positive_margin
    if (margin is None and positive is None) or not largest or largest < smallest:
        return []
    message = (
        f"a positive margin of {largest:g} is not below the margin {smallest:g} that it can be "
        "trained with; lower the positive margin, or raise the margin"
    )
    return [Problem(f"{path}.search.{POSITIVE_MARGIN if positive else MARGIN}", message)]


def _ends(space: Space) -> tuple[float, float]:
    """Return the smallest and the largest number of a space of numbers."""
    if isinstance(space, Choices):
        numbers = [float(value) for value in space.choices]
        return min(numbers), max(numbers)
    return space.low, space.high
