"""The selected arms' values, and the settings in which they differ: on the page, and as CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import streamlit as st

from frontend.api.client import Api
from frontend.api.types import Arm, ArmTable, SettingValues, Spread
from frontend.compare import url_state
from frontend.compare.selection import Selection, preferred_metric
from frontend.comparison.spec_text import value_text
from frontend.comparison.tables_html import swatch
from frontend.errors import ApiError
from frontend.ui.numbers import mean_and_spread
from frontend.ui.table_html import table_html
from frontend.ui.text import escape_markdown
from frontend.ui.theme import ArmStyle, Theme
from frontend.ui.training_states import warned
from frontend.ui.widgets import viewer_theme

VALUE_TITLES: Final = {
    "last": "Last",
    "best": "Best (validation)",
    "best_epoch": "Best epoch",
    "test": "Test",
}
"""Value of a metric -> title of its column."""

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_ARROWS: Final = {"higher": "↑", "lower": "↓"}


def values_table(found: ArmTable, styles: Mapping[str, ArmStyle], theme: Theme) -> str:
    """Return a table with one row per metric and arm: mean ± standard deviation, and count.

    Args:
        found: the arms with their values, as the API gives them.
        styles: styles by label, in the order of the arms.
        theme: the viewer's theme.
    """
    body = ""
    for metric in found["metrics"]:
        arrow = _ARROWS.get(metric["better"] or "", "")
        hint = f" {arrow} {metric['better']} is better" if arrow else ""
        body += (
            f"<tr class='lb-family'><th colspan='{1 + len(VALUE_TITLES)}' scope='rowgroup'>"
            f"{escape(metric['label'])}{hint}</th></tr>"
        )
        for (name, style), values in zip(styles.items(), metric["arms"], strict=True):
            spreads: Mapping[str, Any] = values
            cells = "".join(_cell(spreads[part]) for part in VALUE_TITLES)
            body += f"<tr><th scope='row'>{swatch(style, theme)}{escape(name)}</th>{cells}</tr>"
    heads = "".join(f"<th scope='col'>{title}</th>" for title in VALUE_TITLES.values())
    return table_html("Values of the arms", f"<td></td>{heads}", body, kind="lb-values")


def settings_table(
    differs: Sequence[SettingValues], styles: Mapping[str, ArmStyle], theme: Theme
) -> str:
    """Return a table with one column per setting that differs, and one row per arm."""
    heads = "".join(
        f"<th scope='col' title='{escape(row['setting'], quote=True)}'>"
        f"{escape(setting_label(row['setting'], row['label']))}</th>"
        for row in differs
    )
    body = "".join(
        f"<tr><th scope='row'>{swatch(style, theme)}{escape(name)}</th>"
        + "".join(f"<td>{escape(value_text(row['values'][index])) or '–'}</td>" for row in differs)
        + "</tr>"
        for index, (name, style) in enumerate(styles.items())
    )
    return table_html("Settings that differ", f"<td></td>{heads}", body, kind="lb-values")


def setting_label(path: str, title: str) -> str:
    """Return a setting's title with its section in front: "Loss: margin"."""
    *sections, name = path.split(".")
    words = title.replace("_", " ")
    section = sections[-1].replace("_", " ").capitalize() if sections else ""
    section = "Optimiser" if section == "Optimizer" else section
    if name == "kind":  # the section itself is what is chosen
        return section
    return f"{section}: {words[:1].lower()}{words[1:]}" if section else words


def values_csv(found: ArmTable) -> str:
    """Return CSV with one row per arm and metric: means, deviations, counts, differing settings."""
    settings = [row["setting"] for row in found["differs"]]
    heads = [f"{part}_{number}" for part in VALUE_TITLES for number in ("mean", "sd", "n")]
    lines = [["comparison", "comparison_name", "arm", "loss", "metric", *heads, *settings]]
    for metric in found["metrics"]:
        for index, (arm, values) in enumerate(zip(found["arms"], metric["arms"], strict=True)):
            spreads: Mapping[str, Any] = values
            numbers = [text for part in VALUE_TITLES for text in _spread_cells(spreads[part])]
            own = [csv_cell(str(_or_empty(row["values"][index]))) for row in found["differs"]]
            lines.append([*arm_cells(arm), metric["key"], *numbers, *own])
    return to_csv(lines)


def csv_cell(text: str) -> str:
    """Return a text for a CSV cell, with an apostrophe if a spreadsheet would read a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def to_csv(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


def arm_cells(arm: Arm) -> list[str]:
    """Return the CSV cells that name an arm and its loss."""
    return [arm["comparison"], *map(csv_cell, (arm["comparison_name"], arm["arm"])), arm["loss"]]


def _spread_cells(spread: Spread | None) -> list[str]:
    if spread is None:
        return ["", "", "0"]
    return [str(_or_empty(spread["mean"])), str(_or_empty(spread["sd"])), str(spread["n"])]


def _or_empty(value: Any) -> Any:
    return "" if value is None else value


def _cell(spread: Spread | None) -> str:
    if spread is None:
        return "<td>–</td>"
    if spread["mean"] is None:
        missed = f"not reached in {spread['censored']} of {spread['n']}"
        return f"<td>–<small>{missed}</small></td>"
    mean, _, sd = mean_and_spread(spread["mean"], spread["sd"]).partition(" ± ")
    several = f" ± {sd}" if sd else ""
    return f"<td><b>{mean}</b>{several}<small>({spread['n']})</small></td>"


def show_values(client: Api, chosen: Selection) -> None:
    """Draw the last, best and test values of the chosen metrics, and a download as CSV."""
    keys = [key for key in chosen.metrics if key != "run.elapsed_s"]
    if not keys:
        return
    default = [preferred_metric(keys)]
    asked = url_state.several_values("measure", keys, default)
    st.multiselect(
        "Metrics of the table",
        keys,
        format_func=chosen.label,
        **url_state.widget_arguments("measure", default),
        max_selections=20,
    )
    try:
        found = client.arm_values(chosen.references, asked[:20])
    except ApiError as error:
        st.caption(f"The values cannot be read now: {error.message}")
        return
    st.caption(
        "Mean ± standard deviation over seeds (their count). Best is each seed's best validation "
        "value after epoch 0, the earliest where several are alike; Test is the test split's "
        "value at the best epoch by validation MAP@R (of tuples MRR, or Spearman). Of what is "
        "measured at every step, Last is "
        "the mean of the last epoch. Failed runs do not count."
    )
    st.html(values_table(found, chosen.styles, viewer_theme()))
    st.download_button(
        "Table as CSV",
        values_csv(found),
        file_name="arms.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="compare_table_csv",
    )


def show_states(chosen: Selection) -> None:
    """Say which of the arms did not train, as their curves and values say little then."""
    runs = [
        {**run, "arm": name}
        for name, arm in zip(chosen.names, chosen.found["arms"], strict=True)
        for run in arm["runs"]
    ]
    for one in warned(runs):
        said = f"**{one.sign} {one.name}**: {escape_markdown(f'{one.arms}. {one.message}')}"
        if one.serious:
            st.warning(said)
        else:
            st.caption(said)


def show_settings(chosen: Selection) -> None:
    """Draw the settings in which the arms differ."""
    if chosen.found["differs"]:
        st.html(settings_table(chosen.found["differs"], chosen.styles, viewer_theme()))
    else:
        st.caption("These arms have the same values in all settings they share.")
