"""Rows of a table whose numbers sort as numbers and read as they do everywhere else."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd


def number_table(
    rows: Sequence[Mapping[str, Any]], texts: Mapping[str, Callable[[float], str]]
) -> Any:
    """Return rows for `st.dataframe`, whose own formats write negative numbers with a hyphen.

    The column configuration of these columns must have no `format`: it would win.

    Args:
        rows: with the same columns in each.
        texts: column of numbers -> how one is written; None is a dash.
    """
    frame = pd.DataFrame(list(rows))
    known = {name: text for name, text in texts.items() if name in frame}
    return frame.style.format(known, na_rep="–")
