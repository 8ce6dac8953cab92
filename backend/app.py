"""The API process: `uvicorn backend.app:create_app --factory`.

Exactly one process may serve a database: leases, workers and viewers live in its memory, and it is
the only one that writes. It holds its data folder and its database alone (backend.db.exclusive).
"""

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import cache
from types import FrameType
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from starlette.datastructures import State
from starlette.types import ASGIApp

from backend import errors
from backend.alerts import routes as alerts_routes
from backend.alerts.deliverer import Deliverer
from backend.alerts.outbox import store_alerts
from backend.alerts.posting import Poster
from backend.arms import routes as arms_routes
from backend.artifacts import routes as artifacts_routes
from backend.auth import routes as auth_routes
from backend.auth import token_routes
from backend.auth.access import AccessTokens
from backend.auth.audit import AuditMiddleware
from backend.auth.dependencies import require_rule
from backend.auth.guesses import Guesses
from backend.auth.middleware import AuthMiddleware
from backend.auth.redaction import TokenRedactor
from backend.comparisons import routes as comparisons_routes
from backend.datasets import routes as datasets_routes
from backend.datasets.checker import Checker
from backend.datasets.repository import UPLOADS, Uploads
from backend.db import migrations
from backend.db.database import Commit, Database
from backend.db.exclusive import InUseError, hold_database
from backend.db.sqlite_file import sqlite_url, warn_of_misread_file
from backend.embeddings import routes as embeddings_routes
from backend.embeddings import worker_routes as embeddings_worker_routes
from backend.embeddings.service import SnapshotReader
from backend.errors import SettingsError
from backend.export import routes as export_routes
from backend.http.base_path import BasePathMiddleware
from backend.http.body_limits import BodyLimit
from backend.http.body_time import BodyTimeout
from backend.http.forwarded import Forwarded
from backend.http.head import HeadAsGet
from backend.http.hosts import AcceptedHosts, HostCheck
from backend.http.middleware import SecurityHeaders
from backend.http.openapi import DocumentedApp, operation_id
from backend.http.query import check_query
from backend.http.startup import StartProblem, noting_start_problem
from backend.http.times import CLOCK
from backend.ingest.collector import Collector
from backend.live import routes as live_routes
from backend.live.hub import Hub
from backend.maintenance.retention import Retention
from backend.maintenance.run_figures import FiguresKeeper
from backend.maintenance.sweeper import Sweeper
from backend.monitoring import routes as monitoring_routes
from backend.monitoring.prometheus import Metrics, TimingMiddleware
from backend.plugins import routes as plugins_routes
from backend.preview import routes as preview_routes
from backend.queue import routes as queue_routes
from backend.runs import routes as runs_routes
from backend.runs import snapshots
from backend.runs.repository import in_state
from backend.settings import DATABASE_FILE, Settings
from backend.state import Parts
from backend.storage.blobs import BLOBS_FOLDER, Blobs
from backend.storage.data_folder import DataFolderLock, delete_backup_links
from backend.storage.private_folder import PRIVATE_UMASK, make_private
from backend.templates import routes as templates_routes
from backend.tuning import routes as tuning_routes
from backend.tuning.engine import Engine
from backend.verdict import routes as verdict_routes
from backend.verdict.kept_results import ResultsKeeper
from backend.verdict.summary_cache import SummaryCache
from backend.views import routes as views_routes
from backend.workers import routes as workers_routes
from backend.workers.registry import Leases, Workers
from backend.workers.wakeups import WakeQueue
from contract import logs
from contract.names import API_PREFIX

log = logging.getLogger(__name__)

_ROUTERS = (
    auth_routes.router,
    token_routes.router,
    plugins_routes.catalogue_router,
    live_routes.router,
    preview_routes.router,
    comparisons_routes.router,
    tuning_routes.router,
    views_routes.router,
    templates_routes.router,
    verdict_routes.router,
    export_routes.router,
    arms_routes.router,
    runs_routes.router,
    queue_routes.router,
    runs_routes.series_router,
    alerts_routes.router,
    alerts_routes.comparison_router,
    datasets_routes.router,
    workers_routes.router,
    monitoring_routes.router,
    monitoring_routes.metrics_router,
    workers_routes.worker_router,
    embeddings_routes.router,
    embeddings_routes.projection_router,
    artifacts_routes.comparison_router,
    artifacts_routes.run_router,
    embeddings_worker_routes.router,
    plugins_routes.worker_router,
)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the app; the settings come from the environment unless given.

    Without usable settings the process ends with plain lines that name what is wrong.
    """
    if settings is None:
        os.umask(PRIVATE_UMASK)
        try:
            settings = Settings.from_environ(os.environ)
        except SettingsError as error:
            sys.exit(f"settings cannot be used:\n{error}")
    logs.set_up_logging(settings.log_format, logging.INFO, also=("uvicorn", "uvicorn.error"))
    logging.getLogger("alembic").setLevel(logging.WARNING)  # what it logs at its start helps nobody

    access = AccessTokens(settings.tokens, settings.launcher_token)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with noting_start_problem(app):
            loop = asyncio.get_running_loop()
            parts = await asyncio.to_thread(_build, settings, access, loop)
        _hand_out(parts, app.state)
        parts.collector.start()
        parts.sweeper.start()
        parts.figures.start()
        parts.alerts.start()
        with _end_long_requests_on_signal(parts):
            yield
        await access.finish()
        await asyncio.to_thread(_close, parts)

    app = _App(
        title="Lossboard",
        summary="Compare metric-learning losses side by side, live.",
        version="1",
        lifespan=lifespan,
        redoc_url=None,
        separate_input_output_schemas=False,
        generate_unique_id_function=operation_id,
    )
    app.include_router(_api())
    redactor = TokenRedactor(access, settings.worker_token, settings.tokens.lengths)
    redactor.redact_logs()
    setattr(app.state, errors.REDACT_KEY, redactor.redact)
    app.add_middleware(BodyLimit, max_upload=settings.max_upload)
    app.add_middleware(BodyTimeout)
    guesses = app.state.guesses = Guesses()
    app.add_middleware(
        AuthMiddleware, tokens=access, per_minute=settings.submits_per_min, guesses=guesses
    )
    app.add_middleware(AuditMiddleware)
    app.add_middleware(
        HostCheck,
        hosts=AcceptedHosts.create(settings.allowed_hosts, settings.host),
        is_open=lambda: not access,
        worker_token=settings.worker_token,
    )
    app.add_middleware(Forwarded, proxies=settings.trusted_proxies, ui_secret=settings.ui_secret)
    app.state.access = access
    app.state.worker_token = settings.worker_token
    app.state.data_roots = settings.data_roots
    app.state.most_trials = settings.most_trials
    app.state.alert_hosts = settings.alert_hosts
    app.state.keep = settings.keep
    app.state.summaries = SummaryCache()
    app.state.metrics = Metrics()
    app.add_middleware(TimingMiddleware, metrics=app.state.metrics)
    app.add_middleware(HeadAsGet)
    app.add_middleware(BasePathMiddleware, base_path=settings.base_path)
    app.add_middleware(StartProblem)  # the last added is the outermost
    errors.install_handlers(app)
    return app


class _App(DocumentedApp):
    """The framework's app, with security headers also on its answer to an unexpected error."""

    def build_middleware_stack(self) -> ASGIApp:
        return SecurityHeaders(super().build_middleware_stack())


@cache
def _api() -> APIRouter:
    """Collect all routes; they depend on no settings, and their models take a while to build."""
    shape: dict[int | str, dict[str, Any]] = {
        status: {"model": errors.ErrorOut} for status in ("4XX", "5XX")
    }
    api = APIRouter(
        prefix=API_PREFIX,
        responses=shape,
        dependencies=[Depends(require_rule), Depends(check_query)],
        generate_unique_id_function=operation_id,
    )
    for router in _ROUTERS:
        api.include_router(router)
    return api


def _build(settings: Settings, access: AccessTokens, loop: asyncio.AbstractEventLoop) -> Parts:
    """Hold the data folder and the database alone, migrate it and build the parts; start no thread.

    Raises:
        SettingsError: another process uses the folder or the database.
    """
    with ExitStack() as undo:
        make_private(settings.data_dir)
        folder_lock = DataFolderLock(settings.data_dir)
        undo.callback(folder_lock.release)
        delete_backup_links(settings.data_dir)
        if settings.database_url == sqlite_url(settings.data_dir / DATABASE_FILE):
            warn_of_misread_file(settings.data_dir / DATABASE_FILE)
        database = Database(settings.database_url)
        undo.callback(database.close)
        try:
            database.hold = hold_database(database.engine)
        except InUseError as error:
            raise SettingsError(str(error)) from None
        database.on_taken = _end_process
        parts = _build_parts(settings, access, loop, folder_lock, database)
        undo.pop_all()
        return parts


def _build_parts(
    settings: Settings,
    access: AccessTokens,
    loop: asyncio.AbstractEventLoop,
    folder_lock: DataFolderLock,
    database: Database,
) -> Parts:
    migrations.upgrade(database)
    access.load(database)
    access.check()
    database.load_position()
    hub = Hub(loop, database.position)
    alerts = Deliverer(database, Poster(settings.alert_hosts), public_url=settings.public_url)
    results = ResultsKeeper(database)

    def tell(commit: Commit) -> None:
        hub.publish(commit)
        alerts.after_commit(commit)
        results.see(commit)

    database.on_commit = tell
    database.before_commit = store_alerts
    leases = Leases(settings.lease_s)
    with database.read() as session:
        for run in in_state(session, "running"):
            leases.grant(run.id, run.attempt, strike=False)
    workers = Workers()
    queue = WakeQueue(settings.redis_url)
    blobs = Blobs(settings.data_dir / BLOBS_FOLDER)
    blobs.open()
    snapshots.delete_all_unused_blobs(database, blobs, time.time())
    collector = Collector(database, settings.redis_url, blobs=blobs)
    uploads = Uploads(settings.data_dir / UPLOADS)
    uploads.open()
    retention = Retention(
        database,
        blobs,
        uploads,
        raw_days=settings.keep_raw_days,
        snapshot_days=settings.keep_snapshot_days,
        clock=time.time,
    )
    searches = Engine(database, CLOCK)
    sweeper = Sweeper(
        database,
        leases,
        workers,
        queue,
        has_processed=collector.has_processed,
        tuning=searches,
        retention=retention,
    )
    collector.on_change = sweeper.sweep_soon
    figures = FiguresKeeper(database)
    figures.then, results.wake = results.step, figures.wake
    collector.on_success = figures.keep_soon
    checker = Checker(loop)
    return Parts(
        settings=settings,
        database=database,
        leases=leases,
        workers=workers,
        queue=queue,
        collector=collector,
        sweeper=sweeper,
        searches=searches,
        figures=figures,
        alerts=alerts,
        hub=hub,
        uploads=uploads,
        checker=checker,
        blobs=blobs,
        reader=SnapshotReader(blobs),
        folder_lock=folder_lock,
    )


def _end_process(problem: str) -> None:
    """End, because another process serves the database now: the two would take each other's runs.

    The server sees the signal that asks it to stop; it ends open requests and then the process.
    """
    log.critical("%s; this process ends", problem)
    os.kill(os.getpid(), signal.SIGTERM)


def _hand_out(parts: Parts, state: State) -> None:
    """Put the objects that handlers use into the state (see backend.http.dependencies)."""
    state.database = parts.database
    state.workers = parts.workers
    state.leases = parts.leases
    state.wake = parts.sweeper.sweep_soon
    state.hub = parts.hub
    state.searches = parts.searches
    state.look_for_alerts = parts.alerts.look_soon
    state.uploads = parts.uploads
    state.checker = parts.checker
    state.blobs = parts.blobs
    state.reader = parts.reader
    state.data_folder = parts.settings.data_dir
    state.parts = parts  # for backend.monitoring, which looks at all of them


def _close(parts: Parts) -> None:
    parts.hub.close()
    parts.collector.stop()
    parts.sweeper.stop()
    parts.figures.stop()
    parts.alerts.stop()
    parts.collector.join()
    parts.sweeper.join()
    parts.figures.join()
    parts.alerts.join()
    parts.database.close()
    parts.folder_lock.release()


@contextmanager
def _end_long_requests_on_signal(parts: Parts) -> Iterator[None]:
    """While inside, let SIGTERM and SIGINT also end the live streams and the checks of uploads.

    The server waits for open responses before it runs the lifespan's end, which would be too late
    to end them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread gets signals; a server in another thread is stopped otherwise
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def close(number: int, frame: FrameType | None) -> None:
        parts.hub.close_soon()
        parts.checker.close_soon()
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number, handler in before.items():
        if callable(handler):
            signal.signal(number, close)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
