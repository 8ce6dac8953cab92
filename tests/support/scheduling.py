"""Which worker of pytest-xdist runs what: a module stays together, and so does the product."""

from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

PRODUCT: Final = ("tests/stack/", "tests/browser/", "tests/launcher/test_up.py")
"""Tests that start the whole product. One worker runs them all: they share one running product,
and two products at once would make each other late."""


def drives_product(nodeid: str) -> bool:
    """Whether the test starts the whole product or uses the shared one."""
    return nodeid.startswith(PRODUCT)


class ByModule(LoadScopeScheduling):  # type: ignore[misc]  # xdist carries no types
    """Hand out one module after the other, in their order, and all tests of the product as one."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return "product" if drives_product(nodeid) else nodeid.partition("::")[0]
