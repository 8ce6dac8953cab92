"""Coordinates of snapshots in two or three dimensions, aligned so that they can be compared."""
