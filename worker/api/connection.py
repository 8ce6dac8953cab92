"""How a worker's processes reach the internal part of the API."""

import httpx

from contract.names import API_PREFIX
from worker.settings import Settings


def client(settings: Settings, timeout: httpx.Timeout, path: str = "") -> httpx.Client:
    """A client that shows the workers' token.

    Args:
        settings: where the API is, and the token.
        timeout: of a call.
        path: below the internal part, that all its calls share.
    """
    return httpx.Client(
        base_url=f"{settings.api_url}{API_PREFIX}/internal{path}",
        headers={"Authorization": f"Bearer {settings.token}"},
        timeout=timeout,
        trust_env=False,  # the API is a neighbour; a proxy meant for the internet would miss it
    )
