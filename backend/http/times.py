"""The present time as a dependency of handlers, and times as answers carry them."""

import time
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends


async def now() -> float:
    """Return the seconds since the epoch."""
    return time.time()


Now = Annotated[float, Depends(now)]


def iso(seconds: float) -> str:
    """Return a time since the epoch in ISO 8601, UTC, with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
