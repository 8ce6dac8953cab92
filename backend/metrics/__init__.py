"""The measured values of runs: points, series, results and statistics."""
