"""Servers that tests of several folders share."""

from collections.abc import Iterator

import pytest

from tests.support.broker import Broker
from tests.support.stack import Stack, running_stack


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
