"""A comparison taken along: as files, as one HTML page, and as tables in LaTeX."""
