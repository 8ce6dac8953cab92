"""What the API process reports to Prometheus: its own counters, and the current state.

A scrape reads counters, an index of runs and file sizes; it never reads points.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import prometheus_client
from cachetools import TTLCache
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import ERROR_CODE
from backend.export.tables import versions
from backend.http.middleware import route_template
from backend.monitoring import health
from backend.runs import queue
from backend.state import Parts
from contract.names import API_PREFIX

CONTENT_TYPE: Final = prometheus_client.CONTENT_TYPE_LATEST
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)
FOLDER_SIZE_PERIOD_S: Final = 300.0
"""Walking the data folder costs time for each file, so its size may be this old."""
LIVE_ROUTE: Final = f"{API_PREFIX}/comparisons/{{comparison}}/live"
"""Open as long as a viewer watches: counted, not timed."""

prometheus_client.disable_created_metrics()  # a second series for each counter, when it began


class Metrics:
    """Counters since the start of the process; everything else is read at each scrape."""

    def __init__(self) -> None:
        self._registry = prometheus_client.CollectorRegistry()
        self.seconds = prometheus_client.Histogram(
            "lossboard_http_request_duration_seconds",
            "Time until the last byte of an answer, live streams left out.",
            ("method", "route", "status"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self.errors = prometheus_client.Counter(
            "lossboard_errors",
            "Answers in the error shape, by its code.",
            ("code",),
            registry=self._registry,
        )
        prometheus_client.ProcessCollector(registry=self._registry)
        self._folder_lock = threading.Lock()
        self._folder_sizes: TTLCache[Path, int] = TTLCache(1, FOLDER_SIZE_PERIOD_S)

    def text(self, parts: Parts) -> bytes:
        """Return everything in Prometheus' text format."""
        now = prometheus_client.CollectorRegistry()
        now.register(_StateCollector(parts, self._folder_bytes(parts.settings.data_dir)))
        return b"".join(map(prometheus_client.generate_latest, (self._registry, now)))

    def _folder_bytes(self, folder: Path) -> int:
        with self._folder_lock:
            size = self._folder_sizes.get(folder)
            if size is None:
                size = self._folder_sizes[folder] = _folder_size(folder)
            return size


class TimingMiddleware:
    """ASGI middleware: times every request and counts the errors in the answers."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and measure its time."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500  # the server's answer if the app raises
        began = time.perf_counter()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            scope.setdefault(ERROR_CODE, "internal")
            raise
        finally:
            took = time.perf_counter() - began
            route = route_template(scope)
            if route != LIVE_ROUTE:
                method = scope["method"] if route else "any"
                self._metrics.seconds.labels(method, route or "none", str(status)).observe(took)
            if ERROR_CODE in scope:
                self._metrics.errors.labels(scope[ERROR_CODE]).inc()


class _StateCollector(Collector):
    """The current state; if the database does not answer, its values are left out."""

    def __init__(self, parts: Parts, folder_bytes: int) -> None:
        self._parts = parts
        self._folder_bytes = folder_bytes

    def collect(self) -> Iterator[Metric]:
        """Yield all metric families; called once a scrape."""
        parts = self._parts
        state = health.check_health(parts)
        ready = GaugeMetricFamily(
            "lossboard_ready", "1 where a part does its work, as /health/ready.", labels=["part"]
        )
        for part, problem in state.parts.items():
            ready.add_metric([part], problem is None)
        yield ready
        if state.lag is not None:
            yield GaugeMetricFamily(
                "lossboard_ingest_lag_seconds",
                "Age of the oldest event that is not in the database yet.",
                state.lag.seconds,
            )
            yield GaugeMetricFamily(
                "lossboard_ingest_events_behind",
                "Events that are not in the database yet.",
                state.lag.entries,
            )
        if state.broker_memory is not None:
            yield GaugeMetricFamily(
                "lossboard_broker_memory_bytes",
                "Memory of the broker, as it compares it with its limit.",
                state.broker_memory.used,
            )
            yield GaugeMetricFamily(
                "lossboard_broker_memory_max_bytes",
                "The broker's limit, at which it refuses events; 0 for none.",
                state.broker_memory.limit,
            )
        if state.database is None:
            yield from self._stored()
        yield self._slots()
        yield CounterMetricFamily(
            "lossboard_points", "Points stored since the start.", parts.collector.points
        )
        yield self._events()
        yield GaugeMetricFamily(
            "lossboard_live_streams", "Viewers that follow a comparison.", parts.hub.viewers
        )
        yield GaugeMetricFamily(
            "lossboard_data_folder_bytes",
            "Files in the data folder, measured every 5 minutes at most.",
            self._folder_bytes,
        )
        yield GaugeMetricFamily(
            "lossboard_disk_free_bytes",
            "Room that is left for the data folder; of several disks, on the fullest.",
            state.disk_free,
        )
        yield InfoMetricFamily("lossboard_build", "Versions.", versions())

    def _stored(self) -> Iterator[Metric]:
        try:
            with self._parts.database.read() as session:
                tally = queue.count_by_device(session)
            size = self._parts.database.size()
        except (SQLAlchemyError, OSError):
            return  # it stopped answering after the check
        runs = GaugeMetricFamily(
            "lossboard_queue_runs", "Runs that wait or run.", labels=["device", "state"]
        )
        for (device, state), count in sorted(tally.items()):
            runs.add_metric([device, state], count)
        yield runs
        yield GaugeMetricFamily("lossboard_database_bytes", "Size of the database.", size)

    def _slots(self) -> Metric:
        slots = GaugeMetricFamily(
            "lossboard_slots", "Worker slots heard of lately.", labels=["device", "state"]
        )
        counts = Counter((slot.device, slot.state) for slot in self._parts.workers.listed())
        for (device, state), count in sorted(counts.items()):
            slots.add_metric([device, state], count)
        return slots

    def _events(self) -> Metric:
        events = CounterMetricFamily(
            "lossboard_events", "Events off the stream: taken, or why dropped.", labels=["outcome"]
        )
        for outcome, count in sorted({"taken": 0, **self._parts.collector.counts}.items()):
            events.add_metric([outcome.replace(" ", "_")], count)
        return events


def _folder_size(folder: Path) -> int:
    """Return the bytes of all files below a folder; files that vanish meanwhile are not counted."""
    total = 0
    for root, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(Path(root, name)).st_size
            except OSError:
                continue
    return total
