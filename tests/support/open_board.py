"""An API without tokens that the tests of a module share, each on an empty board."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from backend.app import create_app
from backend.db.database import Database
from backend.settings import Settings
from frontend.api.client import Api
from tests.support.broker import Broker
from tests.support.serving import serving

Board = tuple[httpx.Client, Database]


@contextmanager
def open_board(folder: Path, broker: Broker) -> Iterator[Board]:
    """Start an API on SQLite. Yields a client of it, and its database."""
    broker.client.flushall()
    url = f"sqlite:///{folder / 'lossboard.sqlite'}"
    app = create_app(Settings(folder, url, broker.url, "secret"))
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client, app.state.parts.database


def empty(http: httpx.Client) -> None:
    """Delete everything that people put on a board."""
    client = Api(http)
    for archived in (False, True):
        for comparison in client.comparisons(archived=archived, page_size=200)["comparisons"]:
            client.delete(comparison["id"])
    for template in client.templates():
        client.delete_template(template["id"])
    for view in client.views():
        client.delete_view(view["id"])
    for dataset in client.datasets():
        client.delete_dataset(dataset["id"])
