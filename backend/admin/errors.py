"""What is in the way of a command."""

from backend.errors import BackendError


class AdminError(BackendError):
    """One clear line for the person who typed the command; nothing was changed."""
