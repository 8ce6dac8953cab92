"""The table of all arms, and the inputs that filter it and choose arms."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import streamlit as st

from frontend.api.types import Arm, ArmPage, Catalogue
from frontend.compare import url_state
from frontend.compare.selection import arm_reference
from frontend.ui.address import own_address
from frontend.ui.text import STATE_TEXTS, page_count
from frontend.ui.training_states import arm_marks

PAGE_SIZE: Final = 50
SORT_ORDERS: Final[Mapping[str, tuple[str, bool]]] = {
    "newest first": ("created_at", True),
    "oldest first": ("created_at", False),
    "comparison": ("comparison_name", False),
    "arm": ("arm", False),
    "loss": ("loss", False),
    "data": ("data", False),
    "state": ("state", False),
    "most seeds first": ("seeds", True),
}
"""Title of a sort order -> the API's column, and whether the order is descending."""

SETTING_COLUMNS: Final = {
    "Margin": "loss.margin",
    "Rate": "training.optimizer.lr",
    "Dims": "encoder.embedding_dim",
    "Epochs": "training.epochs",
    "Batch": "training.batch_size",
}
"""Title of a column that shows a setting -> path of the setting."""

TRAINED: Final = "Did it train?"
"""Title of the column that shows the states of runs; left out where no run is in any."""


def filters(catalogue: Catalogue) -> dict[str, Any]:
    """Draw the filter inputs. Returns the filters of the address as arguments of `Api.arms`."""
    found: dict[str, Any] = {name: url_state.text_value(name) for name in ("q", "tag")}
    losses = {row["kind"]: str(row["label"]) for row in catalogue["losses"]}
    data = {row["kind"]: str(row["label"]) for row in catalogue["data"]}
    first = next(iter(SORT_ORDERS))
    chosen = url_state.one_value("order", list(SORT_ORDERS), first) or first
    with st.container(horizontal=True, gap="small"):
        st.text_input(
            "Search",
            placeholder="arm, comparison, note or tag",
            width=220,
            **_filter_arguments("q"),
        )
        st.text_input("Tag", placeholder="any", width=110, **_filter_arguments("tag"))
        for label, name, options in (
            ("Loss", "loss", losses),
            ("Data", "data", data),
            ("State", "state", STATE_TEXTS),
        ):
            found[name] = url_state.one_value(name, list(options), None) or ""
            st.selectbox(
                label,
                list(options),
                index=None,
                placeholder="any",
                format_func=options.__getitem__,
                width=150,
                **_filter_arguments(name),
            )
        st.selectbox("Sort by", list(SORT_ORDERS), width=170, **_filter_arguments("order", first))
    found["sort"], found["descending"] = SORT_ORDERS[chosen]
    found["archived"] = url_state.bool_value("archived")
    return found


def arms_table(found: ArmPage, losses: Mapping[str, str]) -> None:
    """Draw one page of arms; its selection and the arms in the address follow each other."""
    listed = [arm_reference(arm) for arm in found["arms"]]
    chosen = url_state.chosen_arms()
    selected = [at for at, one in enumerate(listed) if one in chosen]
    # A selection is the number of a row, so another list must be another table.
    key = f"compare_table_{hash(tuple(listed))}"
    state = st.session_state.get(key)
    if state is None or sorted(state["selection"]["rows"]) != selected:
        st.session_state[key] = {"selection": {"rows": selected, "columns": [], "cells": []}}
    st.dataframe(
        table_rows(found["arms"], losses),
        hide_index=True,
        width="stretch",
        height=38 + 35 * min(8, max(1, len(listed))),
        key=key,
        on_select=partial(_selection_changed, key, listed),
        selection_mode="multi-row",
        placeholder="",
        alt="Arms of all comparisons; select those to compare",
        column_config={
            "Arm": st.column_config.TextColumn(width=160),
            "Comparison": st.column_config.LinkColumn(display_text=r"#(.*)$", width=220),
            "Loss": st.column_config.TextColumn(width=130),
            "State": st.column_config.TextColumn(width=110),
            TRAINED: st.column_config.TextColumn(
                width=190, help="Training problems found in its runs; empty if there are none"
            ),
            "Seeds": st.column_config.NumberColumn(width=60),
            "Best epoch": st.column_config.NumberColumn(
                format="%.1f",
                width=90,
                help="Mean over the seeds that have ended: the epoch with the best validation "
                "MAP@R (of tuples MRR, or Spearman), at which the test split was read",
            ),
            **{name: st.column_config.NumberColumn(width=70) for name in SETTING_COLUMNS},
            "Tags": st.column_config.ListColumn(width=110),
            "Submitted": st.column_config.DatetimeColumn(format="distance", width=110),
        },
    )


def table_rows(arms: Sequence[Arm], losses: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the table's rows as values by column name; TRAINED is left out where nothing is said.

    Args:
        arms: as the API lists them.
        losses: label by kind of loss.
    """
    rows: list[dict[str, Any]] = [
        {
            "Arm": arm["arm"],
            "Comparison": f"{own_address('/comparison')}?id={arm['comparison']}"
            f"#{quote(arm['comparison_name'], safe='')}",
            "Loss": losses.get(arm["loss"], arm["loss"]),
            "Data": arm["data"].replace("_", " "),
            "State": STATE_TEXTS[arm["state"]],
            TRAINED: arm_marks(arm["runs"]),
            "Seeds": arm["seeds"],
            "Best epoch": arm["best_epoch"]["mean"] if arm["best_epoch"] else None,
            **{name: arm["settings"].get(path) for name, path in SETTING_COLUMNS.items()},
            "Tags": arm["tags"],
            "By": arm["created_by"],
            "Submitted": datetime.fromisoformat(arm["created_at"]),
        }
        for arm in arms
    ]
    if any(row[TRAINED] for row in rows):
        return rows
    return [{name: cell for name, cell in row.items() if name != TRAINED} for row in rows]


def list_footer(total: int, page: int) -> None:
    """Draw the buttons that turn the list's pages, and the switch for archived comparisons."""
    last = page_count(total, PAGE_SIZE)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if last > 1 and st.button("Previous", disabled=page <= 1, key="compare_back"):
            st.query_params["page"] = str(page - 1)
            st.rerun()
        st.caption(f"page {page} of {last}, {total} arms" if last > 1 else f"{total} arms")
        if last > 1 and st.button("Next", disabled=page >= last, key="compare_on"):
            st.query_params["page"] = str(page + 1)
            st.rerun()
        st.toggle(
            "Archived",
            key=url_state.widget_key("archived"),
            on_change=partial(url_state.store_filter, "archived", default=False),
        )


def chosen_arms_input(named: Mapping[str, str]) -> None:
    """Draw the chosen arms in their order; each can be removed.

    Args:
        named: label by reference of the chosen arms.
    """
    key = url_state.widget_key("chosen")
    if st.session_state.get(key) != list(named):
        st.session_state[key] = list(named)
    st.multiselect(
        f"Chosen: {len(named)}",
        list(named),
        format_func=lambda one: named.get(one, one),
        key=key,
        on_change=lambda: url_state.choose_arms(st.session_state[key]),
    )


def _filter_arguments(name: str, default: str | None = None) -> dict[str, Any]:
    keep = partial(url_state.store_filter, name, default)
    return {"key": url_state.widget_key(name), "on_change": keep}


def _selection_changed(key: str, listed: Sequence[str]) -> None:
    """Put a change of the table's selection into the address; arms of other pages stay chosen."""
    rows = st.session_state[key]["selection"]["rows"]
    marked = [listed[row] for row in rows if row < len(listed)]
    kept = [one for one in url_state.chosen_arms() if one not in listed or one in marked]
    added = [one for one in marked if one not in kept]
    if len(kept) + len(added) > url_state.MAX_ARMS:
        st.toast(f"{url_state.MAX_ARMS} arms can be compared at once; the first ones are.")
    url_state.choose_arms([*kept, *added][: url_state.MAX_ARMS])
