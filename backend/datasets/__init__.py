"""Data sets that a team uploads: received, checked in a process of its own, and kept."""
