"""Plotly figures, and the component that draws one on a page."""
