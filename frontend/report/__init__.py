"""A comparison as one document that needs nothing else: an HTML page, or tables in LaTeX."""
