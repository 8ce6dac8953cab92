"""Set-up of all tests of the frontend."""

from collections.abc import Iterator
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner


@pytest.fixture(scope="session", autouse=True)
def _component_packages_are_looked_for_once() -> Iterator[None]:
    """Read the metadata of all installed packages once, instead of in each `AppTest`, where that
    took more than half of the time. None of them has a component; ours are declared by the pages.
    """
    with pytest.MonkeyPatch.context() as patch:
        found = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", found)
        yield
