"""Saved views of the board: which comparisons it shows, in which columns and order."""
