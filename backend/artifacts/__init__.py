"""The trained models of a comparison: what is kept of them, and its downloads."""
