"""The menu that exports a comparison.

Files that the API writes are links, so that they go from the API to the browser without being held
in this process; files that this process writes are made when the viewer clicks.
"""

from collections.abc import Callable
from typing import Final, Literal
from urllib.parse import quote, urlencode

import streamlit as st

from frontend.api.client import Api
from frontend.api.transport import PREFIX
from frontend.api.types import Comparison
from frontend.charts.figures import file_name
from frontend.export import report_data, report_page
from frontend.export.file_writer import latex_tables, verdict_text
from frontend.ui.address import own_address

TABLE_TITLES: Final = {
    "results": ("Results", "a row for each value of each run"),
    "series": ("Curves", "a row for each measured point, not thinned"),
    "runs": ("Runs", "a row for each run"),
    "leaderboard": ("Leaderboard", "a row for each metric and arm"),
}
TRIALS: Final = ("Trials", "a row for each trial, with its settings")
VERDICT_FORMS: Final[tuple[tuple[Literal["csv", "markdown"], str, str, str], ...]] = (
    ("csv", "CSV", "text/csv", "csv"),
    ("markdown", "Markdown", "text/markdown", "md"),
)
"""Form, its name, its media type and the ending of its file."""
FORMAT_TITLES: Final = {"csv": "CSV", "parquet": "Parquet"}


def export_menu(api: Api, comparison: Comparison) -> None:
    """Draw the button that opens the menu."""
    own, name = comparison["id"], comparison["name"]
    with st.popover("Export", icon=":material/download:", key="export_menu"):
        st.caption("A report opens without a network, its figures to zoom and its tables to copy.")
        with st.container(horizontal=True, gap="small"):
            _download_button(
                "HTML report", "text/html", f"{file_name(name)}.html", _report(api, own)
            )
            _download_button(
                "LaTeX tables", "application/x-tex", f"{file_name(name)}.tex", _latex(api, own)
            )
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            for form, label, kind, ending in VERDICT_FORMS:
                _download_button(
                    f"Verdict, {label}",
                    kind,
                    f"{file_name(name)}-verdict.{ending}",
                    _verdict(api, own, form),
                )
            st.caption("a row for each metric of each claim")
        tables = {**TABLE_TITLES, **({"trials": TRIALS} if comparison["phase"] else {})}
        for what, (title, meaning) in tables.items():
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                for kind, label in FORMAT_TITLES.items():
                    _export_link(f"{title}, {label}", export_url(own, format=kind, what=what))
                st.caption(meaning)
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            _export_link("Spec, JSON", export_url(own, format="json"))
            _export_link("Everything, JSON", export_url(own, format="json", what="all"))
            st.caption("both can be imported on the page of a new comparison")


def export_url(comparison: str, **asked: str) -> str:
    """Return the URL path of an export, on the same address as the page."""
    path = f"{PREFIX}/comparisons/{quote(comparison, safe='')}/export?{urlencode(asked)}"
    return own_address(path)


def _export_link(label: str, url: str) -> None:
    st.link_button(label, url, icon=":material/download:", key=f"export_{url}")


def _download_button(label: str, kind: str, file: str, make: Callable[[], bytes]) -> None:
    st.download_button(
        label,
        make,
        file_name=file,
        mime=kind,
        icon=":material/download:",
        on_click="ignore",
        key=f"export_{kind}",
    )


def _report(api: Api, comparison: str) -> Callable[[], bytes]:
    return lambda: report_page.page(report_data.read(api, comparison)).encode()


def _latex(api: Api, comparison: str) -> Callable[[], bytes]:
    return lambda: latex_tables(api, comparison).encode()


def _verdict(api: Api, comparison: str, form: Literal["csv", "markdown"]) -> Callable[[], bytes]:
    return lambda: verdict_text(api, comparison, form).encode()
