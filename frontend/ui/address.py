"""Addresses in pages: where a browser reaches our own pages, files and API."""

from frontend.settings import Settings


def own_address(path: str) -> str:
    """Return the URL path by which a browser reaches one of our addresses.

    Args:
        path: as our server knows it, beginning with a slash.
    """
    return Settings.from_environment().base_path + path
