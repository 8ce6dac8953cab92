"""How the commands end."""

from typing import Final

FINE: Final = 0
FAILED: Final = 1
"""A run failed or was cancelled."""
WRONG: Final = 2
"""The spec or the command line is wrong."""
AWAY: Final = 3
"""The API cannot be reached, or cannot serve now."""
INTERRUPTED: Final = 130
"""By Ctrl-C, as shells have it."""
