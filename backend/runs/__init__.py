"""Runs: their states, their queue, their progress and their snapshots."""
