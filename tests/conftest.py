"""What is run and where, and the servers that tests of several folders share.

`make test` leaves out what only `make test-all` runs; the option --everything makes the difference:

- tests marked `slow`: they take more than five seconds, and a quicker test proves the same promise
  in one case at least;
- the second database: tests that work on the database itself run on SQLite and on PostgreSQL; those
  that start an API (the fixture `settings`) run on PostgreSQL too if they are marked
  `both_databases`, so that each route is tried there at least once, in its first case;
- the number of examples of a property: Hypothesis' profile `thorough` instead of `quick`.
"""

import ssl
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from fastapi import routing
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser, Page
from xdist.remote import Producer

from tests.support.broker import Broker
from tests.support.browser import new_page, running_browser
from tests.support.scheduling import ByModule, place
from tests.support.stack import Stack, running_stack

hypothesis_settings.register_profile("quick", max_examples=15, deadline=None)
hypothesis_settings.register_profile("thorough", max_examples=200, deadline=None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--everything",
        action="store_true",
        help="run slow tests too, all tests of the database on both kinds, and many examples",
    )


def pytest_configure(config: pytest.Config) -> None:
    thorough = config.getoption("everything")
    hypothesis_settings.load_profile("thorough" if thorough else "quick")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("everything"):
        tried: set[object] = set()
        later = [item for item in items if _is_for_later(item, tried)]
        config.hook.pytest_deselected(items=later)
        left_out = set(later)
        items[:] = [item for item in items if item not in left_out]
    if hasattr(config, "workerinput"):  # in a worker of pytest-xdist
        items.sort(key=lambda item: place(item.nodeid))


def _is_for_later(item: pytest.Item, tried: set[object]) -> bool:
    """Return whether only `make test-all` runs a test.

    Args:
        item: the test.
        tried: the functions of which a case runs on the second database; one is added.
    """
    if item.get_closest_marker("slow"):
        return True
    if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
        return False
    if item.callspec.params.get("database_url") != "postgresql":
        return False
    starts_api = "settings" in item.fixturenames
    if starts_api and not item.get_closest_marker("both_databases"):
        return True
    if item.function in tried:
        return True
    tried.add(item.function)
    return False


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByModule:
    return ByModule(config, log)


@pytest.fixture(scope="session", autouse=True)
def one_list_of_authorities() -> Iterator[None]:
    """httpx reads the certificates of all authorities for each client; here once is enough."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", cache(ssl.create_default_context))
        yield


@pytest.fixture(scope="session", autouse=True)
def routes_built_once() -> Iterator[None]:
    """FastAPI builds the handlers of all routes at the first request of an app, which took a third
    of the time of tests that start one; all apps here have the same routes."""
    build = routing._EffectiveRouteContext.from_api_route
    known: dict[tuple[int, str], Any] = {}

    def from_api_route(*, original_route: Any, include_context: Any) -> Any:
        key = (id(original_route), include_context.path_for(original_route))
        if key not in known:
            known[key] = build(original_route=original_route, include_context=include_context)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(routing._EffectiveRouteContext, "from_api_route", from_api_route)
        yield


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One valkey-server for the session; a test that kills it starts it again."""
    server = Broker(tmp_path_factory.mktemp("broker"))
    server.start()
    yield server
    server.close()


@pytest.fixture
def broker_url(broker: Broker) -> str:
    """The address of an empty broker."""
    broker.client.flushall()
    return broker.url


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole product, with one worker slot and no demo, for the session."""
    data = tmp_path_factory.mktemp("stack") / "data"
    with running_stack(data, "--no-demo", "--workers", "1") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module: while it runs, its thread can run no other event loop."""
    with running_browser() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page."""
    with new_page(browser) as opened:
        yield opened
