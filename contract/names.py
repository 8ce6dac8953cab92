"""Names that several processes use, and the rule for names that people give."""

import unicodedata
from typing import Final, Literal

API_PREFIX: Final = "/api/v1"
"""Path prefix of the public HTTP API."""

TupleShape = Literal["pairs", "triplets", "labelled_pairs", "scored_pairs"]
"""Shape of data that come as tuples. pairs: (anchor, positive); triplets: (anchor, positive,
negative); labelled_pairs: (first, second, same or not); scored_pairs: (first, second, score)."""

SHAPES: Final[tuple[TupleShape, ...]] = ("pairs", "triplets", "labelled_pairs", "scored_pairs")

EVENT_STREAM: Final = "lossboard:events"
"""The Redis stream on which workers report to the backend."""

EVENT_FIELD: Final = "event"
"""The field of a stream entry that holds the event as JSON."""

COLLECTOR_GROUP: Final = "collector"
"""The consumer group with which the backend reads the stream."""

WAKE_TASK: Final = "lossboard.wake"
"""The Celery task that wakes one idle slot; it names no run, the slot asks the API for one."""

DEVICES: Final = ("cpu", "cuda")
"""Device classes; each has its own queue."""


def wake_queue(device: str) -> str:
    """Return the name of the Celery queue that wakes slots of one device class."""
    return f"lossboard.{device}"


_CONTROL: Final = ("Cc", "Zl", "Zp")
"""Unicode categories of control characters, line breaks among them."""
ONE_LINE: Final = "has a line break or another control character; write it in one line"


def has_control_character(name: str) -> bool:
    """Return whether a name holds a line break, a tab or another control character."""
    return any(unicodedata.category(character) in _CONTROL for character in name)
