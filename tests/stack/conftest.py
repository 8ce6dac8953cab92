"""One running product for all stack tests."""

from collections.abc import Iterator

import pytest

from tests.support.stack import Stack, running_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The product with one worker slot and no demo."""
    with running_stack(tmp_path_factory.mktemp("stack") / "data", "--no-demo") as running:
        yield running
