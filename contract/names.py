"""Names that several processes use."""

from typing import Final

API_PREFIX: Final = "/api/v1"
"""Path prefix of the public HTTP API."""

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
