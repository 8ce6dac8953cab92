"""The page that lays arms of several comparisons side by side."""
