"""Measurements: each script prints a table and writes it to results/ and docs/BENCHMARKS.md."""
