"""Periodic work: lost workers, wake-ups, deletion of old data."""
