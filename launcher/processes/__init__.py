"""The processes of the product: the plan of what to start, and how each is started and ended."""
