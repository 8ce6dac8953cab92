"""The least live page that Streamlit's own parts make: a chart of one series in a fragment.

Run by `streamlit run`; arguments: the SQLite file, and the seconds between two draws.
"""

import sqlite3
import sys

import plotly.graph_objects as go
import streamlit as st

FILE, EVERY_S = sys.argv[1], float(sys.argv[2])


@st.fragment(run_every=EVERY_S)
def chart() -> None:
    """Read all points and draw them."""
    with sqlite3.connect(FILE) as connection:
        rows = connection.execute(
            "SELECT step, value FROM point WHERE series = 'dynamics.loss' ORDER BY step"
        ).fetchall()
    figure = go.Figure(go.Scatter(x=[row[0] for row in rows], y=[row[1] for row in rows]))
    st.plotly_chart(figure, key="loss")


chart()
