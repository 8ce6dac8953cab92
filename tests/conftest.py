"""Servers that tests of several folders share."""

from collections.abc import Iterator

import pytest

from tests.support.broker import Broker


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
