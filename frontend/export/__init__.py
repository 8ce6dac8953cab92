"""Exports of a comparison: files, the HTML report, and tables in LaTeX."""
