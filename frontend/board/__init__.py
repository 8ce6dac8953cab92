"""The table of comparisons and the queue, as their pages show them."""
