"""Worker slots as the API shows them."""

from typing import Literal

from pydantic import BaseModel


class WorkerOut(BaseModel):
    """One worker slot."""

    name: str
    device: str
    host: str
    state: Literal["idle", "busy", "lost"]
    run: str | None
    seen_s_ago: float


class WorkerList(BaseModel):
    """All slots heard of lately."""

    workers: list[WorkerOut]
