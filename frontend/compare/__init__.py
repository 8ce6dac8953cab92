"""The parts of the page that compares arms of any comparisons side by side."""
