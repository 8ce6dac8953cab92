"""The questions about an upload that can be read in several ways, as widgets."""

from typing import Any

import streamlit as st

from frontend.api.types import Dataset, Question
from frontend.ui.text import escape_markdown


def ask(dataset: Dataset) -> dict[str, Any]:
    """Draw an upload's questions, and return the answers that are chosen."""
    return {
        question["name"]: _choice(question, f"question_{dataset['id']}_{question['name']}")
        for question in dataset["questions"]
    }


def _choice(question: Question, key: str) -> str:
    texts = {one["value"]: one["text"] for one in question["choices"]}
    chosen = st.radio(
        escape_markdown(question["text"]),
        list(texts),
        format_func=lambda value: escape_markdown(texts[value]),
        key=key,
    )
    return str(chosen)
