"""Names that cross a process border, written once."""

from typing import Final

API_PREFIX: Final = "/api/v1"
"""Where the public HTTP API lives."""

EVENT_STREAM: Final = "lossboard:events"
"""The one Redis stream on which workers report to the backend."""

EVENT_FIELD: Final = "event"
"""The field of a stream entry that holds the event as JSON."""

COLLECTOR_GROUP: Final = "collector"
"""The consumer group by which the backend reads the stream."""

WAKE_TASK: Final = "lossboard.wake"
"""The Celery task that wakes one idle slot; it carries no run, the slot asks for one."""

DEVICES: Final = ("cpu", "cuda")
"""Device classes, one queue each."""


def wake_queue(device: str) -> str:
    """Name of the Celery queue that wakes slots of one device class."""
    return f"lossboard.{device}"
