"""Arms of all comparisons: found, laid side by side, drawn."""
