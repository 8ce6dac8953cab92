"""What is known of an uploaded table of tuples, beside the other kinds in `check_process`."""

from pathlib import Path
from typing import Final

import numpy as np

from backend.datasets.check_report import TEXT_CHARACTERS, Facts, Note, TextExample
from contract.dataset_files import Answers, Limits, read_tuples
from contract.dataset_files.tuple_columns import ITEM_ROLES
from contract.dataset_files.tuple_links import components_of_rows
from contract.names import TupleShape

MAX_TUPLES: Final = 3
"""Tuples that are shown of a data set."""
MOST_IN_GROUP: Final = 0.6
"""Share of the tuples in one group of linked items beyond which a split is uneven."""


def facts_of(content: Path, shape: TupleShape, limits: Limits, answers: Answers) -> Facts:
    """Read and check a table of tuples; return what is known of it.

    Raises:
        IntakeError: with every problem found, row by row.
        UnansweredError: an answer is missing.
    """
    table = read_tuples(content, shape, limits, answers, ask=True)
    sizes = np.bincount(components_of_rows(table.rows, len(table.items)))
    seen = {
        "distinct": len(table.items),
        "groups": int((sizes > 0).sum()),
        "largest_group": int(sizes.max()),
        "longest": max(map(len, table.items)),
    }
    if table.same is not None:
        seen["same"] = int(table.same.sum())
    warnings = [Note(where=one.where, message=one.message) for one in table.warnings]
    share = seen["largest_group"] / len(table)
    if share > MOST_IN_GROUP:
        message = (
            f"{share:.0%} of the tuples are linked by shared items; a split by groups keeps them "
            "together and is uneven: bring a column `split` to split them yourself"
        )
        warnings.append(Note(where="", message=message))
    parts = np.array(table.parts or ())
    return Facts(
        items=len(table),
        class_names=[],
        counts=[],
        has_fine=False,
        shape=seen,
        warnings=warnings,
        thumbnails=[],
        parts={str(part): [int((parts == part).sum())] for part in dict.fromkeys(parts.tolist())},
        texts=[
            TextExample(class_name=f"{at + 1}, {role}", text=table.items[item][:TEXT_CHARACTERS])
            for at, row in enumerate(table.rows[:MAX_TUPLES].tolist())
            for role, item in zip(ITEM_ROLES[table.shape], row, strict=True)
        ],
    )
