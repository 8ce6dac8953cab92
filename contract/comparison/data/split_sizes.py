"""How many items and classes come into which split; one rule for the API, which refuses what cannot
be split, and for the workers, which split it."""

from typing import Final

from contract.comparison.data.shared_settings import ValidateOn

TRAIN_SHARE: Final = 0.6
"""Of each class's items trains, with a split by item; the rest is halved."""
VALIDATION_PART: Final = 5
"""With a split by class, one in so many of the training half's classes, or of the items of each,
validates."""
LEAST_CLASSES: Final[dict[ValidateOn, int]] = {"classes": 8, "items": 4}
"""A split by class needs so many, by what validates: two classes in each split."""


def training_items_of(members: int) -> int:
    """Of a class with so many items, split by item: at least one, rounded down."""
    return max(1, int(members * TRAIN_SHARE))


def held_items_of(members: int) -> int:
    """Of a class of the training half with so many items: those that validate on items."""
    return max(1, members // VALIDATION_PART)


def held_classes_of(half: int) -> int:
    """Of a training half of so many classes: those that validate on classes."""
    return max(2, half // VALIDATION_PART)
