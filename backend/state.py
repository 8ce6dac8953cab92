"""The objects that one API process consists of.

`backend.app` builds them at its start. Only `backend.app` and `backend.monitoring` see them all;
a handler asks for the ones it uses (see `backend.http.dependencies`).
"""

from dataclasses import dataclass

from backend.alerts.deliverer import Deliverer
from backend.datasets.checker import Checker
from backend.datasets.repository import Uploads
from backend.db.database import Database
from backend.embeddings.service import SnapshotReader
from backend.ingest.collector import Collector
from backend.live.hub import Hub
from backend.maintenance.run_figures import FiguresKeeper
from backend.maintenance.sweeper import Sweeper
from backend.settings import Settings
from backend.storage.blobs import Blobs
from backend.storage.data_folder import DataFolderLock
from backend.tuning.engine import Engine
from backend.workers.registry import Leases, Workers
from backend.workers.wakeups import WakeQueue


@dataclass(frozen=True)
class Parts:
    """The objects of the running process."""

    settings: Settings
    database: Database
    leases: Leases
    workers: Workers
    queue: WakeQueue
    collector: Collector
    sweeper: Sweeper
    searches: Engine
    figures: FiguresKeeper
    alerts: Deliverer
    hub: Hub
    uploads: Uploads
    checker: Checker
    blobs: Blobs
    reader: SnapshotReader
    folder_lock: DataFolderLock
