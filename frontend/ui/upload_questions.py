"""The questions about an upload that can be read in several ways, as widgets."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from frontend.api.types import Dataset, Question
from frontend.ui import dataset_text
from frontend.ui.text import escape_markdown

FEATURE_ROLES: Final[Mapping[str, Mapping[str, str]]] = {
    "features": {"features": "Features"},
    "paired_features": {"audio": "First modality (audio)", "visual": "Second modality (visual)"},
    "text": {},
    **{kind: {} for kind in dataset_text.TUPLES},
}
"""Kind of an upload -> the roles that several columns may have together, and their titles."""
LABEL_ROLES: Final = {
    "labels": "Labels",
    "fine_labels": "Fine labels, within the classes (optional)",
    "ids": "Name of each row (optional)",
}
TEXT_ROLES: Final = {
    "text": "Text",
    **LABEL_ROLES,
    "split": "Split: train, validation, test (optional)",
}
"""The roles of a column of a table of texts, and their titles."""
SPLIT_ROLE: Final = {"split": TEXT_ROLES["split"]}
TUPLE_ROLES: Final[Mapping[str, Mapping[str, str]]] = {
    "pairs": {"anchor": "Anchor", "positive": "Positive", **SPLIT_ROLE},
    "triplets": {
        "anchor": "Anchor",
        "positive": "Positive",
        "negative": "Negative",
        **SPLIT_ROLE,
    },
    "labelled_pairs": {
        "first": "First item",
        "second": "Second item",
        "same": "Whether they belong together (1 or 0)",
        **SPLIT_ROLE,
    },
    "scored_pairs": {
        "first": "First item",
        "second": "Second item",
        "score": "Score of their similarity",
        **SPLIT_ROLE,
    },
}
"""The same of a table of tuples, by its kind."""
NEEDED: Final = (
    *("text", "labels"),
    *("anchor", "positive", "negative", "first", "second", "same", "score"),
)
"""Roles that a column must have, where there are such roles."""
_MAX_NAMED: Final = 4


def ask(dataset: Dataset) -> dict[str, Any] | None:
    """Draw an upload's questions, and return the chosen answers; None while one is missing."""
    answers: dict[str, Any] = {}
    for question in dataset["questions"]:
        key = f"question_{dataset['id']}_{question['name']}"
        if question["columns"]:
            answers[question["name"]] = _columns(question, dataset["kind"], key)
        else:
            answers[question["name"]] = _choice(question, key)
    return None if None in answers.values() else answers


def answers_text(answers: Mapping[str, Any]) -> str:
    """Return answers in one line: "features = emb_*, labels = species; flatten"."""
    parts = []
    for name, answer in answers.items():
        if isinstance(answer, Mapping):
            parts.append(", ".join(f"{role} = {_names(told)}" for role, told in answer.items()))
        else:
            parts.append(f"{name} = {answer}")
    return "; ".join(parts)


def _names(told: str | Sequence[str]) -> str:
    if isinstance(told, str):
        return told
    more = len(told) - _MAX_NAMED
    return ", ".join(told[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def _choice(question: Question, key: str) -> str:
    texts = {one["value"]: one["text"] for one in question["choices"]}
    chosen = st.radio(
        escape_markdown(question["text"]),
        list(texts),
        format_func=lambda value: escape_markdown(texts[value]),
        key=key,
    )
    return str(chosen)


def _columns(question: Question, kind: str, key: str) -> dict[str, Any] | None:
    """Ask which column is what; None while the features, the text or the labels are missing."""
    st.markdown(escape_markdown(question["text"]))
    columns = question["columns"]
    st.html(dataset_text.columns_table(columns))
    told: dict[str, Any] = {}
    places = st.columns(2)
    for at, (role, title) in enumerate(FEATURE_ROLES[kind].items()):
        told[role] = places[at % 2].multiselect(
            title,
            [one["name"] for one in columns if role in one["roles"]],
            [one["name"] for one in columns if one["suggested"] == role],
            format_func=_title,
            placeholder="Choose one or several columns",
            key=f"{key}_{role}",
        )
    offset = len(FEATURE_ROLES[kind])
    single = TUPLE_ROLES.get(kind, TEXT_ROLES if kind == "text" else LABEL_ROLES)
    for at, (role, title) in enumerate(single.items(), offset):
        names = [one["name"] for one in columns if role in one["roles"]]
        suggested = [one["name"] for one in columns if one["suggested"] == role]
        options: list[str | None] = [*names] if role in NEEDED else [None, *names]
        told[role] = places[at % 2].selectbox(
            title,
            options,
            index=options.index(suggested[0]) if suggested else None if role in NEEDED else 0,
            format_func=_title,
            placeholder="Choose a column",
            key=f"{key}_{role}",
        )
    needed = [*FEATURE_ROLES[kind], *(role for role in NEEDED if role in single)]
    missing = not all(told[role] for role in needed)
    return None if missing else {role: names for role, names in told.items() if names}


def _title(name: str | None) -> str:
    return "none" if name is None else name
