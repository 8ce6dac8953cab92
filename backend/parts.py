"""What one API process is made of; built by the app's lifespan, reached through backend.deps."""

from dataclasses import dataclass

from backend.blobs import Blobs
from backend.collector import Collector
from backend.datasets.checker import Checker
from backend.datasets.files import Uploads
from backend.db import Database
from backend.holding import Using
from backend.hub import Hub
from backend.leases import Leases
from backend.queue import WakeQueue
from backend.settings import Settings
from backend.space.reading import Reader
from backend.sweeper import Sweeper
from backend.workers import Workers


@dataclass(frozen=True)
class Parts:
    """The running parts."""

    settings: Settings
    database: Database
    leases: Leases
    workers: Workers
    queue: WakeQueue
    collector: Collector
    sweeper: Sweeper
    hub: Hub
    uploads: Uploads
    checker: Checker
    blobs: Blobs
    reader: Reader
    using: Using
