"""What runs measured: points, series, results and statistics of a run."""
