"""The backend's half of the worker's protocols."""

from collections.abc import Iterator

import pytest
import torch

from tests.support.backend import Backend


@pytest.fixture
def backend(broker_url: str) -> Iterator[Backend]:
    """A peer with no runs on an empty broker."""
    peer = Backend(broker_url)
    yield peer
    peer.close()


@pytest.fixture(scope="session", autouse=True)
def one_torch_thread() -> None:
    """As a trainer on a small machine; threads that wait for one another lose on busy cores."""
    torch.set_num_threads(1)
