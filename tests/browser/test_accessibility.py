"""Pages can be used by everybody: axe-core finds nothing serious, headings are in order."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from frontend.comparison.tabs.sections import TITLES
from tests.support.accessibility import at_rest, headings, violations
from tests.support.browser import new_page
from tests.support.specs import small
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


@pytest.fixture(scope="module")
def sweep(stack: Stack) -> str:
    """Fourteen arms, of which one fails."""
    arms: list[dict[str, Any]] = [
        {"name": f"triplet, margin {at / 10}", "loss": {"kind": "triplet", "margin": at / 10}}
        for at in range(1, 14)
    ]
    overflow = {"optimizer": {"kind": "adamw", "lr": 1.0, "weight_decay": 50}}
    loss = {"kind": "triplet", "margin": 0.5, "selection": "batch_hard"}
    arms.append({"name": "overflowing", "loss": loss, "training": overflow})
    training = {"epochs": 5, "batch_size": 64}
    made = stack.submit(small(name="sweep for everybody", arms=arms, training=training))
    states = [run["state"] for run in stack.wait_ended(made, timeout=150)]
    assert sorted(set(states)) == ["failed", "succeeded"]
    return made


@pytest.fixture(scope="module")
def tuned(stack: Stack) -> str:
    training = {"epochs": 2, "batch_size": 64}
    spec = small(name="tuned for everybody", arms=ARMS, training=training, tuning={"trials": 2})
    made = stack.submit(spec)
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


@pytest.mark.slow
def test_the_tab_of_a_search(stack: Stack, viewer: Page, tuned: str) -> None:
    viewer.goto(f"{stack.ui_url}/comparison?id={tuned}&tab=tuning")
    expect(viewer.get_by_role("region", name="Value of the budget")).to_be_visible()
    at_rest(viewer)
    assert violations(viewer) == []
    assert in_order(headings(viewer)), headings(viewer)


@pytest.mark.slow
def test_many_arms_with_a_wide_and_a_pinned_panel_and_an_open_notice(
    stack: Stack, viewer: Page, sweep: str
) -> None:
    viewer.goto(f"{stack.ui_url}/comparison?id={sweep}&wide=dynamics.loss")
    chart = viewer.get_by_test_id("chart-dynamics.loss")
    chart.locator(".scatterlayer .trace").first.wait_for(state="attached")
    viewer.get_by_test_id("runs-fold").click()
    viewer.get_by_test_id("run-errors").locator("summary").first.click()
    viewer.get_by_test_id("pin-dynamics.active_ratio").click()
    expect(viewer.get_by_test_id("pinned").get_by_role("region")).to_be_visible()
    expect(viewer.get_by_test_id("run-errors").locator("details[open]")).to_be_visible()
    at_rest(viewer)
    assert violations(viewer) == []
    assert in_order(headings(viewer)), headings(viewer)
    viewer.get_by_test_id("pin-dynamics.active_ratio").click()  # the browser keeps it else
    expect(viewer.get_by_test_id("pinned")).to_be_hidden()


@pytest.mark.slow
@pytest.mark.parametrize(
    "opened",
    [
        ("", "Columns", ""),
        ("", "Save view", ""),
        ("new?preset=digits", "Save as template", ""),
        ("new?preset=digits", "Import a spec", ""),
        ("comparison?id=", "as a picture", ""),
        ("comparison?id=", "Export", ""),
        ("comparison?id=", "More", ""),
        ("comparison?id=", "More", "Save as template"),
        ("comparison?id=", "More", "More seeds"),
        ("comparison?id=", "More", "Alerts"),
        ("comparison?id=", "More", "Delete"),
    ],
    ids=" ".join,
)
def test_an_open_menu_or_dialog(
    stack: Stack, viewer: Page, comparison: str, opened: tuple[str, str, str]
) -> None:
    path, button, item = opened
    viewer.goto(f"{stack.ui_url}/{path}" + (comparison if path.endswith("=") else ""))
    at_rest(viewer)
    viewer.get_by_test_id("stMain").get_by_role("button", name=button).first.click()
    if item:
        viewer.get_by_role("menuitem", name=re.compile(f"{item}$")).click()
        viewer.get_by_role("dialog").wait_for()
    at_rest(viewer)
    assert violations(viewer) == []
