"""Measurements: each script prints a table and appends JSON lines to benchmarks/results/."""
