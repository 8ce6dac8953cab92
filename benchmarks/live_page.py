"""What a viewer's page got and when: the steps on its screen, and the bytes that came for them."""

import base64
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page

Painted = Sequence[tuple[int, float]]
"""The newest step on the screen and the time (seconds since 1970) at which it came, in order."""


def newest(points: Iterable[tuple[int, float]]) -> Painted:
    """Of painted points (step, time) each that is newer than all that were painted before."""
    found: list[tuple[int, float]] = []
    for step, at in sorted(points, key=lambda point: point[1]):
        if not found or step > found[-1][0]:
            found.append((step, at))
    return found


def delays(handed: Mapping[int, float], painted: Painted, *, since: float) -> list[float]:
    """Seconds until each step handed over after `since` was on the screen, itself or a newer one;
    those that never were are left out."""
    steps = [step for step, _ in painted]
    places = ((at, bisect_left(steps, step)) for step, at in handed.items() if at > since)
    return [painted[place][1] - at for at, place in places if place < len(painted)]


class Traffic:
    """Bytes that reach a page after its own files, as the browser counts them."""

    def __init__(self) -> None:
        self._received: list[tuple[float, int]] = []
        self._offset: float | None = None
        """Convert a time of the browser's clock to seconds since 1970."""

    def requested(self, event: dict[str, Any]) -> None:
        """A request starts: tells both clocks."""
        self._offset = event["wallTime"] - event["timestamp"]

    def answered(self, event: dict[str, Any]) -> None:
        """Count a part of an answer, in its compressed size."""
        size = event["encodedDataLength"] or event["dataLength"]
        self._received.append((event["timestamp"], size))

    def framed(self, event: dict[str, Any]) -> None:
        """Count a message of a web socket."""
        frame = event["response"]
        data: str = frame["payloadData"]
        size = len(base64.b64decode(data)) if frame["opcode"] == 2 else len(data.encode())
        self._received.append((event["timestamp"], size))

    def rate(self, since: float, until: float) -> float:
        """Return bytes per second between two times, in seconds since 1970."""
        offset = self._offset or 0.0
        total = sum(size for at, size in self._received if since <= at + offset <= until)
        return total / (until - since)


@contextmanager
def watched(page: Page) -> Iterator[Traffic]:
    """Count what reaches the page."""
    traffic = Traffic()
    session = page.context.new_cdp_session(page)
    session.on("Network.requestWillBeSent", traffic.requested)
    session.on("Network.dataReceived", traffic.answered)
    session.on("Network.webSocketFrameReceived", traffic.framed)
    session.send("Network.enable")
    try:
        yield traffic
    finally:
        session.detach()
