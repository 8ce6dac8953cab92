"""Arms of all comparisons: the list, the table of their values, their curves."""
