"""Set-up of all tests of the frontend, and an API that the tests of a module share."""

from collections.abc import Iterator
from functools import cache

import httpx
import pytest
from streamlit.components.v2 import manifest_scanner

from frontend.api.client import Api
from tests.support.broker import Broker
from tests.support.open_board import Board, empty, open_board


@pytest.fixture(scope="session", autouse=True)
def _component_packages_are_looked_for_once() -> Iterator[None]:
    """Read the metadata of all installed packages once, instead of in each `AppTest`, where that
    took more than half of the time. None of them has a component; ours are declared by the pages.
    """
    with pytest.MonkeyPatch.context() as patch:
        found = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", found)
        yield


@pytest.fixture(scope="module")
def board_of_module(tmp_path_factory: pytest.TempPathFactory, broker: Broker) -> Iterator[Board]:
    """A running API; tests use it through `board`."""
    with open_board(tmp_path_factory.mktemp("board"), broker) as running:
        yield running


@pytest.fixture
def board(board_of_module: Board) -> Iterator[Board]:
    """A client of a running API with an empty board, and its database."""
    yield board_of_module
    empty(board_of_module[0])


@pytest.fixture
def http(board: Board) -> httpx.Client:
    """A client of a running API with an empty board."""
    return board[0]


@pytest.fixture
def api(http: httpx.Client) -> Api:
    """The same, by names of calls."""
    return Api(http)
