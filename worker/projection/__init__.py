"""Projections: coordinates of snapshots in two or three dimensions, aligned for comparison."""
