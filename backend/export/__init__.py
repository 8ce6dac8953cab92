"""A comparison as files that other programs read."""
