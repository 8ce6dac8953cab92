"""The menu by which a comparison is taken along.

What the API writes is linked to, so that it goes from the API to the browser without lying in this
process; what is made here is made at the click.
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import quote, urlencode

import streamlit as st

from frontend.api.client import Api
from frontend.api.transport import PREFIX
from frontend.api.types import Comparison
from frontend.charts.figures import file_name
from frontend.export import report_data as material
from frontend.export import report_page as page
from frontend.export.file_writer import tables

TABLES: Final = {
    "results": ("Results", "a row for each value of each run"),
    "series": ("Curves", "a row for each measured point, not thinned"),
    "runs": ("Runs", "a row for each run"),
}
FORMATS: Final = {"csv": "CSV", "parquet": "Parquet"}


def export_menu(api: Api, comparison: Comparison) -> None:
    """A button that opens the menu; drawn into the place where it is called."""
    own, name = comparison["id"], comparison["name"]
    with st.popover("Export", icon=":material/download:", key="export_menu"):
        st.caption("A report opens without a network, its figures to zoom and its tables to copy.")
        with st.container(horizontal=True, gap="small"):
            _made("HTML report", "text/html", f"{file_name(name)}.html", _report(api, own))
            _made("LaTeX tables", "application/x-tex", f"{file_name(name)}.tex", _latex(api, own))
        for what, (title, meaning) in TABLES.items():
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                for kind, label in FORMATS.items():
                    _link(f"{title}, {label}", address(own, format=kind, what=what))
                st.caption(meaning)
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            _link("Spec, JSON", address(own, format="json"))
            _link("Everything, JSON", address(own, format="json", what="all"))
            st.caption("both can be imported on the page of a new comparison")


def address(comparison: str, **asked: str) -> str:
    """Where the browser gets an export, on the address that it has the page from."""
    return f"{PREFIX}/comparisons/{quote(comparison, safe='')}/export?{urlencode(asked)}"


def _link(label: str, url: str) -> None:
    st.link_button(label, url, icon=":material/download:", key=f"export_{url}")


def _made(label: str, kind: str, file: str, make: Callable[[], bytes]) -> None:
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
    return lambda: page.page(material.read(api, comparison)).encode()


def _latex(api: Api, comparison: str) -> Callable[[], bytes]:
    return lambda: tables(api, comparison).encode()
