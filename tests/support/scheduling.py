"""Which worker of pytest-xdist runs what: a module stays together, and so does the product."""

from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

PRODUCT: Final = (
    "tests/stack/",
    "tests/browser/",
    "tests/launcher/test_up.py",
    "tests/worker/slot/",
    "tests/worker/test_celery_app.py",
)
"""Tests that start the whole product or trainer processes. One worker runs them all: they share one
running product, and trainers, which have a low priority, make each other late."""


LONG: Final = ("tests/worker/trainer/",)
"""Modules that take a minute; they come early, so that no worker is left alone with one."""


def place(nodeid: str) -> int:
    """Return the place of a test in the order in which modules are handed out."""
    return 0 if _drives_product(nodeid) else 1 if nodeid.startswith(LONG) else 2


def _drives_product(nodeid: str) -> bool:
    return nodeid.startswith(PRODUCT)


class ByModule(LoadScopeScheduling):  # type: ignore[misc]  # xdist carries no types
    """Hand out one module after the other, in their order, and all tests of the product as one."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return "product" if _drives_product(nodeid) else nodeid.partition("::")[0]
