"""The machine that a worker runs on: its memory, and how it steps back for others."""
