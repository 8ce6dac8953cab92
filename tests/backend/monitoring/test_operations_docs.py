"""docs/OPERATIONS.md names every metric and bound, and nothing else."""

import re
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from backend.monitoring import health
from tests.backend.helpers import Api

PAGE: Final = Path(__file__).parents[3] / "docs" / "OPERATIONS.md"


def test_the_documented_metrics_are_those_served(api: Api) -> None:
    api.submit()
    api.claim()
    assert api.http.get("/nowhere").status_code == 404
    families = text_string_to_metric_families(api.http.get("/api/v1/metrics").text)
    served = {
        re.sub("_(bucket|count|sum)$", "", sample.name)
        for family in families
        for sample in family.samples
        if sample.name.startswith("lossboard_")
    }
    page = PAGE.read_text()
    assert set(re.findall(r"^\| `(lossboard_\w+)` \|", page, re.MULTILINE)) == served
    assert set(re.findall(r"\blossboard_\w+\b", page)) == served
    assert len(served) == 16


def test_the_bounds_of_readiness_are_documented() -> None:
    page = PAGE.read_text()
    assert f"older than {health.MAX_LAG_S:.0f} s" in page
    assert f"{health.MIN_FREE_BYTES / 1e6:.0f} MB" in page
