"""The search of a comparison that is tuned: its texts, figures and tables, for the page and the
report."""
