"""Two things at once in one test."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def beside(act: Callable[[], object]) -> Iterator[None]:
    """Act in a second thread beside the body; an error of it is raised at the end of the body."""
    with ThreadPoolExecutor(1) as pool:
        acting = pool.submit(act)
        yield
        acting.result()
