"""Losses from outside: what workers have reported of them, and which of it a run needs."""
