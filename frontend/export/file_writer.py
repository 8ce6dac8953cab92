"""Write a comparison to a file, completely or not at all."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal

from frontend.api.client import Api
from frontend.comparison.results_table import result_sections
from frontend.comparison.tuning.summary_table import search_table
from frontend.export import latex, report_data, report_page, verdict_tables
from frontend.ui.replicates import over_text

STDOUT = "-"


def export(api: Api, comparison: str, kind: str, what: str | None, file: BinaryIO) -> None:
    """Write a comparison to a file in one of the formats.

    Args:
        api: the client.
        comparison: id of the comparison.
        kind: the format: json, latex, html, markdown, csv or parquet.
        what: the contents, for json, csv and parquet; None for the default.
        file: file to write to.

    Raises:
        ApiError: a call of the API failed.
    """
    texts: dict[str, Callable[[], str]] = {
        "json": lambda: _json_document(api, comparison, everything=what == "all"),
        "latex": lambda: latex_tables(api, comparison),
        "html": lambda: report_page.page(report_data.read(api, comparison)),
        "markdown": lambda: verdict_text(api, comparison, "markdown"),
    }
    if kind == "csv" and what == "verdict":
        file.write(verdict_text(api, comparison, "csv").encode())
        return
    if kind in texts:
        file.write(texts[kind]().encode())
        return
    chosen: Any = what or "results"
    api.export(comparison, file, format="parquet" if kind == "parquet" else "csv", what=chosen)


def latex_tables(api: Api, comparison: str) -> str:
    """Return a comparison's tables in LaTeX."""
    everything, catalogue = api.everything(comparison), api.catalogue()
    arms = everything["comparison"]["arms"]
    whole_run = [row["key"] for row in catalogue["metrics"] if row["summary_only"]]
    noun = everything["comparison"]["replicate_noun"]
    found = result_sections(everything["summary"], arms, whole_run, noun)
    name, over = everything["comparison"]["name"], over_text(noun)
    ranked = everything["leaderboard"]["metrics"]
    search = everything["tuning"] and search_table(
        everything["tuning"], everything["spec"], catalogue
    )
    return latex.latex_document(
        latex.Material(
            comparison, name, arms, found, everything["verdict"], over, ranked, search or None
        )
    )


def verdict_text(api: Api, comparison: str, kind: Literal["csv", "markdown"]) -> str:
    """Return a comparison's verdict as a table."""
    found = api.verdict(comparison)
    if kind == "csv":
        return verdict_tables.verdict_csv(found)
    own = api.comparison(comparison)
    search = None
    if own["phase"] is not None:
        search = search_table(api.tuning(comparison), own["spec"], api.catalogue())
    return verdict_tables.verdict_markdown(found, own["name"], search)


@contextmanager
def open_output(target: str) -> Iterator[BinaryIO]:
    """Open a file that gets its name only after all is written; stdout for `-`.

    Raises:
        OSError: the file cannot be written.
    """
    if target == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(target)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _json_document(api: Api, comparison: str, *, everything: bool) -> str:
    found: Any = api.everything(comparison) if everything else api.comparison(comparison)["spec"]
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"
