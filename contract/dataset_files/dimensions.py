"""Features of more than two dimensions, such as seconds or positions, as one row for each item."""

from collections.abc import Mapping
from math import prod

import numpy as np

from contract.dataset_files.questions import Choice, Dimensions, Question


def row_width(shape: tuple[int, ...], dimensions: Dimensions) -> int:
    """Return the number of features in a row."""
    match dimensions:
        case "flatten":
            return prod(shape[1:])
        case "pool":
            return shape[1]
        case "mean":
            return shape[-1]


def as_rows(block: np.ndarray, dimensions: Dimensions) -> np.ndarray:
    """Turn features [N, ..., D] into rows.

    Args:
        block: features, of which the first axis is the items.
        dimensions: `flatten` gives all numbers of an item one after the other; `mean` the mean over
            all axes between the first and the last, [N, D]; `pool` the mean over all axes after the
            second, as of maps [N, C, H, W], [N, C].
    """
    if dimensions == "flatten":
        return block.reshape(len(block), prod(block.shape[1:]))
    parts = prod(block.shape[1:-1] if dimensions == "mean" else block.shape[2:])
    if dimensions == "mean":
        means = block.reshape(len(block), parts, block.shape[-1]).mean(axis=1, dtype=np.float64)
    else:
        means = block.reshape(len(block), block.shape[1], parts).mean(axis=2, dtype=np.float64)
    rows: np.ndarray = means
    return rows


def what_rows_are(shape: tuple[int, ...], dimensions: Dimensions) -> str:
    """Return what the rows are of features with several axes, as a part of a sentence."""
    match dimensions:
        case "flatten":
            return f"each row is its {prod(shape[1:])} numbers one after the other"
        case "pool":
            return f"each number of a row is the mean of {prod(shape[2:])}"
        case "mean":
            return f"each row is the mean of its {prod(shape[1:-1])} parts"


def dimensions_question(shapes: Mapping[str, tuple[int, ...]], max_columns: int) -> Question | None:
    """Return the question how features become rows; None if there is one way only.

    Args:
        shapes: shape of each matrix of features.
        max_columns: most features of a row; ways that give more are no choice.
    """
    several = {
        name: shape for name, shape in shapes.items() if len(shape) > 2 and prod(shape[1:-1]) > 1
    }
    if not several:
        return None
    ways: tuple[Dimensions, ...] = ("flatten", "mean", "pool")
    choices = [
        Choice(value=way, text=_choice_text(way, several))
        for way in ways
        if all(0 < row_width(shape, way) <= max_columns for shape in several.values())
    ]
    seen = ", ".join(f"{name} has shape {shape}" for name, shape in several.items())
    text = f"{seen}. How do they become one row of numbers for each item?"
    return Question(name="dimensions", text=text, choices=choices, columns=[]) if choices else None


def _choice_text(way: Dimensions, shapes: Mapping[str, tuple[int, ...]]) -> str:
    widths = " and ".join(f"{row_width(shape, way):,}" for shape in shapes.values())
    several = any(len(shape) > 3 for shape in shapes.values())
    match way:
        case "flatten":
            return f"Flatten: all numbers of an item one after the other, {widths} a row"
        case "pool":
            axes = "all axes after the second" if several else "the last axis"
            return f"Pool: the mean over {axes}, {widths} a row"
        case "mean":
            axes = "all axes between the first and the last" if several else "the middle axis"
            return f"Mean: the mean over {axes}, {widths} a row"
