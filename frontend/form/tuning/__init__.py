"""The part of the form for a search: its settings, and the space of each arm."""
