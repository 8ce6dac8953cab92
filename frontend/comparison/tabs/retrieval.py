"""Retrieval and classification: what the embeddings are good for; below the live panels."""

import streamlit as st

from frontend.comparison.tabs.by_class import by_class
from frontend.comparison.tabs.tables import tables
from frontend.comparison.tabs.view import View


def show_retrieval(view: View) -> None:
    """Results, and accuracy by class."""
    tables(view, "retrieval")
    seed = by_class(
        view,
        "retrieval",
        "accuracy",
        name="Accuracy by class",
        meaning="Share of samples whose nearest other sample has their class (leave one out, "
        "Euclidean)",
        method="embedding-space",
    )
    if seed is not None:
        st.caption(
            "A sample's nearest neighbours under each arm, and the queries that go worst, stand "
            "under Embedding space."
        )
