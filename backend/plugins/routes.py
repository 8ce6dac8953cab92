"""HTTP routes: what a comparison can be made of, and what workers report of their plug-ins."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from backend.auth.dependencies import worker_token
from backend.http.dependencies import Db
from backend.http.json_body import JsonRoute
from backend.http.times import Now
from backend.http.writing import writes
from backend.plugins import repository as plugins
from contract.catalogue.catalogue import catalogue
from contract.catalogue.plugins import (
    listed_plugins,
    loss_rows,
    search_rows,
    with_trainable,
)
from contract.comparison.plugins import MAX_PLUGINS, PluginEntry

catalogue_router = APIRouter(tags=["catalogue"])


class CatalogueOut(BaseModel):
    """What can be chosen and measured: rows with texts and the JSON schemas of settings."""

    data: list[dict[str, Any]]
    encoders: list[dict[str, Any]]
    losses: list[dict[str, Any]]
    samplers: list[dict[str, Any]]
    optimizers: list[dict[str, Any]]
    training: dict[str, Any]
    """A JSON schema, as `measure` is."""
    arm_training: list[str]
    """Settings of `training` that an arm may have of its own."""
    measure: dict[str, Any]
    practical: list[dict[str, Any]]
    """Default bounds of differences that do not matter."""
    practical_ratio: float
    """The same for metrics that are compared by their ratio."""
    limits: dict[str, int]
    """Most `arms` of a comparison, and characters of an arm's name (`arm_name`)."""
    tuning: dict[str, Any]
    """`schema` of the section, possible `objectives`, and by kind of loss the `settings` that a
    search can vary, each with its ready-made `space` (null: only on request) and `where` it has an
    effect."""
    presets: list[dict[str, Any]]
    metrics: list[dict[str, Any]]
    plugins: list[dict[str, Any]]
    """Losses that workers have reported; `problem` says why one cannot be used. Those that can are
    among the losses, by their `source`."""


@catalogue_router.get("/catalogue", response_model=CatalogueOut)
def get_catalogue(database: Db) -> dict[str, Any]:
    """Return data sets, encoders, losses, samplers, optimisers, presets and metrics.

    The losses are our own, and those that workers have reported."""
    with database.read() as session:
        return _KNOWN.read(session)


class PluginsIn(BaseModel):
    """What a worker has found of the plug-ins that it is to offer."""

    model_config = ConfigDict(extra="forbid")

    worker: str = Field(min_length=1, max_length=255)
    plugins: list[PluginEntry] = Field(max_length=MAX_PLUGINS)


worker_router = APIRouter(
    prefix="/internal",
    tags=["internal"],
    dependencies=[Depends(worker_token)],
    route_class=JsonRoute,
)


@worker_router.post("/plugins", status_code=204)
@writes
def report_plugins(reported: PluginsIn, database: Db, now: Now) -> None:
    """Store what a worker has found; it replaces what that worker reported of the same code."""
    with database.write() as write:
        plugins.report(write, reported.worker, reported.plugins, now)


class _Known:
    """The catalogue with the plug-ins that were last reported: it takes 50 ms to make, and the form
    reads it at every change."""

    def __init__(self) -> None:
        self._reported: object = None
        self._found: dict[str, Any] = {}

    def read(self, session: Session) -> dict[str, Any]:
        """Return the catalogue."""
        reported = plugins.state(session)
        if not self._found or reported != self._reported:
            entries = list(plugins.known(session).values())
            self._found, self._reported = _with_plugins(_own(), entries), reported
        return self._found


_KNOWN: Final = _Known()


@cache
def _own() -> dict[str, Any]:
    """Return the catalogue of what is our own."""
    found = catalogue()
    # Whether downloaded or manually placed data are present is known only to each worker, for its
    # own machine.
    found["data"] = [
        {**row, "present": True if row["source"] in {"bundled", "own"} else None}
        for row in found["data"]
    ]
    return found


def _with_plugins(own: Mapping[str, Any], entries: Sequence[PluginEntry]) -> dict[str, Any]:
    usable = [entry for entry in entries if entry.usable]
    searched = {entry.name: search_rows(entry) for entry in usable}
    trainable = [entry.name for entry in usable if entry.trainable]
    return {
        **own,
        "losses": [*own["losses"], *loss_rows(usable)],
        "training": with_trainable(own["training"], trainable),
        "optimizers": with_trainable(own["optimizers"], trainable),
        "tuning": {**own["tuning"], "settings": {**own["tuning"]["settings"], **searched}},
        "plugins": listed_plugins(entries),
    }
