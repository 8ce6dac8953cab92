"""The client of the HTTP API: `from frontend.api import Api`."""

from frontend.api.client import Api

__all__ = ["Api"]
