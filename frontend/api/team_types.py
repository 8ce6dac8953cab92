"""What the queue and a comparison's size look like; docs/API.md says what each field means."""

from typing import TypedDict

from frontend.api.types import Preparation, Worker


class Slot(Worker):
    """A worker slot and the run it has; the run's fields are null while it has none."""

    comparison: str | None
    comparison_name: str | None
    created_by: str | None
    arm: str | None
    seed: int | None
    progress: float | None
    eta_s: float | None
    preparing: Preparation | None


class Waiting(TypedDict):
    """A run that waits; position 1 begins next, since is when it was submitted."""

    run: str
    comparison: str
    comparison_name: str
    arm: str
    seed: int
    created_by: str
    position: int
    starts_in_s: float | None
    wants: str
    priority: int
    since: str


class Queue(TypedDict):
    """All that works and one page of what waits; devices counts living slots by class."""

    workers: list[Slot]
    devices: dict[str, int]
    waiting: list[Waiting]
    waiting_total: int
    page: int
    page_size: int
    running_total: int
    eta_s: float | None


class Size(TypedDict):
    """What a comparison takes: bytes on disk, measured points, runs."""

    bytes: int
    points: int
    runs: int
