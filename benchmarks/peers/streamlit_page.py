"""The least page of 14 runs that Streamlit's own parts make: one chart of one metric.

Run by `streamlit run`; arguments: the SQLite file of points. `?chart=line` takes st.line_chart in
the place of st.plotly_chart.
"""

import sqlite3
import sys

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

with sqlite3.connect(sys.argv[1]) as connection:
    points = pd.read_sql_query("SELECT run, step, value FROM point ORDER BY run, step", connection)
if st.query_params.get("chart") == "line":
    st.line_chart(points, x="step", y="value", color="run")
else:
    figure = go.Figure(
        [
            go.Scatter(x=own["step"], y=own["value"], name=str(run))
            for run, own in points.groupby("run")
        ]
    )
    figure.update_layout(hovermode="x unified")  # the values of all runs at a step
    st.plotly_chart(figure)
