"""Tuning: the trials of a comparison's arms, who proposes them, and when the final runs start."""
