"""Comparisons: submitted, listed, searched, changed, deleted."""
