"""Pages can be used by everybody: axe-core finds nothing serious, headings are in order."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from frontend.comparison.tabs.sections import TITLES
from tests.support.accessibility import at_rest, headings, violations
from tests.support.browser import new_page
from tests.support.stack import Stack

Scheme = Literal["light", "dark"]

ARMS: Final = [{"name": kind, "loss": {"kind": kind}} for kind in ("contrastive", "triplet")]
TABS: Final = [name for name in TITLES if name != "tuning"]
PAGES: Final = ("", "new", "compare", "queue", "alerts", "datasets", "method", "access")


@pytest.fixture(scope="module")
def comparison(stack: Stack) -> str:
    made = stack.submit(
        {
            "name": "for everybody",
            "notes": "margins are **not** tuned",
            "data": {"kind": "synthetic", "classes": 5, "per_class": 80, "dim": 16},
            "encoder": {"kind": "mlp", "hidden": 32, "layers": 1, "embedding_dim": 8},
            "training": {"epochs": 2, "batch_size": 60},
            "measure": {"snapshot_every": 1, "snapshot_size": 60},
            "arms": ARMS,
            "seeds": [0, 1, 2],
        }
    )
    assert {run["state"] for run in stack.wait_ended(made, timeout=150)} == {"succeeded"}
    return made


@pytest.fixture(scope="module", params=["light", "dark"])
def viewer(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page in one of the two themes."""
    with new_page(browser, scheme=request.param) as opened:
        yield opened


def in_order(levels: list[int]) -> bool:
    """Return whether there is one h1, first, and no level is skipped on the way down."""
    none_skipped = all(below <= above + 1 for above, below in pairwise(levels))
    return levels[:1] == [1] and levels.count(1) == 1 and none_skipped


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_a_page(stack: Stack, viewer: Page, comparison: str, name: str) -> None:
    chosen = "&".join(f"arm={comparison}~{arm['name']}" for arm in ARMS)
    viewer.goto(f"{stack.ui_url}/{name}" + (f"?{chosen}" if name == "compare" else ""))
    at_rest(viewer)
    if name == "compare":
        expect(viewer.get_by_role("heading", name="Settings against metrics")).to_be_visible()
    assert violations(viewer) == []
    assert in_order(headings(viewer)), headings(viewer)


@pytest.mark.slow
@pytest.mark.parametrize("tab", TABS)
def test_a_tab_of_a_comparison(stack: Stack, viewer: Page, comparison: str, tab: str) -> None:
    viewer.goto(f"{stack.ui_url}/comparison?id={comparison}&tab={tab}")
    viewer.get_by_test_id("live").wait_for(state="attached")
    at_rest(viewer)
    assert violations(viewer) == []
    assert in_order(headings(viewer)), headings(viewer)
