"""Fixtures of the worker's tests: a small backend, and one thread for torch."""

from collections.abc import Iterator

import pytest
import torch

from tests.support.backend import Backend


@pytest.fixture
def backend(broker_url: str) -> Iterator[Backend]:
    """Start a small backend without runs, on an empty broker."""
    peer = Backend(broker_url)
    yield peer
    peer.close()


@pytest.fixture(scope="session", autouse=True)
def one_torch_thread() -> None:
    """Use one thread, as a trainer on a small machine: more wait for one another on busy cores."""
    torch.set_num_threads(1)
