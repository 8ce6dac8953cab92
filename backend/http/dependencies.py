"""Dependencies by which handlers reach the objects of the running process.

`backend.app` puts these objects into the app's state when it starts. Each one but the database has
its dependency next to its class, for example `BlobStore` in `backend.storage.blobs`.
"""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request

from backend.db.database import Database


def from_state(name: str) -> Any:
    """Make a dependency on the object that the app's state has under this name."""

    async def read(request: Request) -> Any:
        return getattr(request.app.state, name)

    return Depends(read)


Db = Annotated[Database, from_state("database")]
Wake = Annotated[Callable[[], None], from_state("wake")]
"""Call it after a commit that queued runs: idle workers are woken soon."""
