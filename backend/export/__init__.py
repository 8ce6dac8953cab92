"""A comparison as a file for other programs: CSV, Parquet or JSON."""
