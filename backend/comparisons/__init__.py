"""Comparisons: submit, list, search, change and delete them."""
