"""The process of the layouts: the same results as in this process, and an end at any moment."""

import os
from collections.abc import Iterator

import numpy as np
import psutil
import pytest

from worker.projection.layout_process import NAME, NICENESS, LayoutError, LayoutProcess, Order
from worker.projection.layouts import project


class StopError(Exception):
    """Raised to end a computation."""


@pytest.fixture
def layouts() -> Iterator[LayoutProcess]:
    process = LayoutProcess()
    yield process
    process.close()


def order(method: str = "pca", n: int = 40) -> Order:
    points = np.random.default_rng(1).standard_normal((n, 6)).astype(np.float32)
    return Order([[points, points * 2]], method, 2, 0)


def running() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if one.name() == NAME]


def nothing(*_: float) -> None:
    """Let it go on."""


def test_it_computes_what_this_process_would_and_says_how_far_it_is(layouts: LayoutProcess) -> None:
    shares: list[float] = []
    found = layouts.project(order(), shares.append, nothing)
    expected = project(order().snapshots, method="pca", dims=2, seed=0)
    assert np.array_equal(found, expected)
    assert shares == [0.5, 1.0]
    [process] = running()
    assert process.nice() == min(19, psutil.Process().nice() + NICENESS)
    assert os.getsid(process.pid) == process.pid, "its priority counts for itself"
    layouts.project(order(), nothing, nothing)
    assert running() == [process], "its libraries are loaded once"


def test_a_computation_that_is_not_wanted_ends_at_once_and_the_next_one_works(
    layouts: LayoutProcess,
) -> None:
    seen: list[psutil.Process] = []

    def stop() -> None:
        seen.extend(running())
        if seen:
            raise StopError

    with pytest.raises(StopError):
        layouts.project(order("tsne", n=3000), nothing, stop)
    assert not seen[0].is_running()
    assert running() == []
    assert layouts.project(order(), nothing, nothing).shape == (1, 2, 40, 2)


def test_what_goes_wrong_is_told(layouts: LayoutProcess) -> None:
    with pytest.raises(LayoutError, match="KeyError: 'umap'"):
        layouts.project(order("umap"), nothing, nothing)
    [process] = running()

    def kill() -> None:
        process.kill()

    with pytest.raises(LayoutError, match="code -9; the system may have ended it for want of mem"):
        layouts.project(order("tsne", n=3000), nothing, kill)
    assert layouts.project(order(), nothing, nothing).shape == (1, 2, 40, 2)
