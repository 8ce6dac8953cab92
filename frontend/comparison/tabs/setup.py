"""The tab Set-up & logs: all settings, the notes, and the runs with their logs."""

import json
from html import escape
from typing import Final

import streamlit as st

from frontend.api.types import Run
from frontend.comparison.spec_text import AS_WRITTEN, arm_settings
from frontend.comparison.tables_html import settings_table
from frontend.comparison.tabs.view import View
from frontend.ui import usage_text
from frontend.ui.session import role_button
from frontend.ui.text import OPEN_STATES, STATE_TEXTS
from frontend.ui.widgets import viewer_theme

MAX_LOG_LINES: Final = 500
"""Number of a log's last lines that are shown; the download has all that the API keeps."""


def show_setup(view: View) -> None:
    """Draw the settings, the notes, the runs with their logs, and the spec."""
    st.header("Settings of the arms", anchor="settings")
    rows = arm_settings(view.comparison["spec"], view.catalogue)
    with st.container(key="settings-of-arms"):
        st.html(settings_table(view.styles, rows, viewer_theme()))
    if view.comparison["phase"] is not None:
        st.caption(AS_WRITTEN)
    if view.comparison["notes"]:
        st.header("Notes", anchor="notes")
        st.markdown(view.comparison["notes"])
    _runs(view)
    with st.expander("Spec as JSON"):
        st.code(json.dumps(view.comparison["spec"], indent=2, ensure_ascii=False), language="json")


def _runs(view: View) -> None:
    st.header("Runs and their logs", anchor="runs")
    runs = {run["id"]: run for run in view.client.runs(view.id)}
    chosen = st.selectbox(
        "Run",
        list(runs),
        index=_first_failed(list(runs.values())),
        format_func=lambda run: _title(runs[run]),
        key=f"setup_run_{view.id}",
    )
    if chosen is None:
        return
    run = runs[chosen]
    _facts(run)
    _machine(view, run)
    with st.container(horizontal=True):
        if run["state"] in OPEN_STATES and role_button(
            "editor", "Cancel this run", icon=":material/stop_circle:", key="setup_cancel"
        ):
            view.client.cancel_run(chosen)
            st.rerun()
        if run["state"] in ("failed", "cancelled") and role_button(
            "editor", "Retry this run", icon=":material/replay:", key="setup_retry"
        ):
            view.client.retry_run(chosen)
            st.rerun()
    _log(view, run)


def _first_failed(runs: list[Run]) -> int | None:
    """Return the index of the first failed run, else of the first run; None without runs."""
    failed = [place for place, run in enumerate(runs) if run["state"] == "failed"]
    return failed[0] if failed else 0 if runs else None


def _title(run: Run) -> str:
    return f"{run['arm']}, seed {run['seed']}: {STATE_TEXTS[run['state']]}"


def _facts(run: Run) -> None:
    resumed = f", from the checkpoint of step {run['resumed_at']:,}" if run["resumed_at"] else ""
    parts = [
        run["device"] or "no device yet",
        f"attempt {run['attempt']}{resumed}",
        f"step {run['step']:,} of {run['total_steps']:,}" if run["total_steps"] else "no step yet",
        f"run {run['id']}",
    ]
    st.caption(" · ".join(parts))
    if run["error"]:
        error = run["error"]
        message, step = error["message"], error["step"]
        at = "" if step is None or f"step {step}" in message else f" (step {step:,})"
        st.error(f"{message}{at}\n\n{error['cause']}", icon=":material/error:")


def _machine(view: View, run: Run) -> None:
    """Draw what the run uses or used of its machine, and where it was trained."""
    detail = view.client.run(run["id"])
    used = usage_text.run_usage_text(detail)
    if run["state"] == "running":
        slot = next((one for one in view.client.workers() if run["id"] in one["runs"]), None)
        used = usage_text.slot_usage_text(slot and slot["usage"])
    if used:
        st.caption(used)
    rows = usage_text.environment_rows(detail)
    if not rows:
        if run["state"] not in OPEN_STATES:
            st.caption("Host and libraries were not recorded for runs of older versions.")
        return
    with st.expander("Machine, libraries and data"):
        st.html(usage_text.environment_html(rows))


def _log(view: View, run: Run) -> None:
    lines = view.client.run_log(run["id"])
    if not lines:
        st.caption("No log messages.")
        return
    # Streamlit's own block scrolls, and keys do not reach it.
    text = escape("\n".join(lines[-MAX_LOG_LINES:]))
    st.html(f"<pre class='lb-log' role='region' aria-label='Log' tabindex='0'>{text}</pre>")
    if len(lines) > MAX_LOG_LINES:
        st.caption(f"The last {MAX_LOG_LINES} of {len(lines):,} lines.")
    st.download_button(
        "Download the log",
        "\n".join(lines) + "\n",
        file_name=f"{run['id']}.log",
        mime="text/plain",
        icon=":material/download:",
        on_click="ignore",
        key="setup_log",
    )
