"""Arms that differ in the values of a few settings: a list, a range, or all combinations."""
