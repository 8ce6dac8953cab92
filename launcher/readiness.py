"""Whether a process answers: a Redis PING, an HTTP GET, or a row in the API's list of workers."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Ready = Callable[[], Awaitable[bool]]
"""Asks once; never raises for a process that is not there yet."""

ANSWER_S = 2.0
"""How long one question may take."""


def get_json(
    url: str,
    *,
    post: object = None,
    wait_s: float = ANSWER_S,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """GET a URL, or POST an object to it, and decode the JSON answer; blocks.

    Raises:
        OSError: nobody answers, or with an error status (urllib.error.HTTPError).
        ValueError: the answer is not JSON.
    """
    body = None if post is None else json.dumps(post).encode()
    sent = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, body, sent)
    with _OPENER.open(request, timeout=wait_s) as answer:
        return json.loads(answer.read())


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback needs no proxy


def http(url: str) -> Ready:
    """Ready once a GET is answered with a 2xx status."""

    def ask() -> bool:
        try:
            with _OPENER.open(url, timeout=ANSWER_S):
                return True
        except OSError:
            return False

    return lambda: asyncio.to_thread(ask)


def worker(api_url: str, name: str, headers: Mapping[str, str]) -> Ready:
    """Ready once the API, asked with these headers, counts the worker among the living."""

    def ask() -> bool:
        try:
            listed = get_json(f"{api_url}/api/v1/workers", headers=headers)["workers"]
        except (OSError, ValueError):
            return False
        return any(row["name"] == name and row["state"] != "lost" for row in listed)

    return lambda: asyncio.to_thread(ask)


async def at_once() -> bool:
    """Ready as soon as it is started: nothing waits for it."""
    return True


def ping(host: str, port: int) -> Ready:
    """Ready once a Redis server answers PONG; while it loads its journal it answers otherwise."""

    async def ask() -> bool:
        try:
            async with asyncio.timeout(ANSWER_S):
                reader, writer = await asyncio.open_connection(host, port)
                try:
                    writer.write(b"PING\r\n")
                    return (await reader.readline()).startswith(b"+PONG")
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False

    return ask
