"""The embedding space in a real Chromium, with real pages, API, worker and snapshots."""

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from backend.db import migrations
from backend.db.database import Database
from backend.storage.blobs import BLOBS_FOLDER, Blobs
from tests.support.browser import new_page
from tests.support.snapshots import fill
from tests.support.stack import Stack, running_stack

pytestmark = pytest.mark.slow

ARMS = ["contrastive", "triplet", "sup_con"]
SAMPLES = 300
EPOCHS = 3

Filled = tuple[Stack, str, str]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """The whole product over two finished comparisons: of images, and of sounds with images."""
    data = tmp_path_factory.mktemp("space") / "data"
    data.mkdir()
    database, blobs = Database(f"sqlite:///{data / 'lossboard.sqlite'}"), Blobs(data / BLOBS_FOLDER)
    migrations.upgrade(database)
    blobs.open()
    images = fill(database, blobs, arms=3, seeds=2, epochs=EPOCHS, samples=SAMPLES)
    pairs = fill(database, blobs, arms=2, seeds=1, epochs=1, samples=120, paired=True)
    database.close()
    with running_stack(data, "--no-demo", "--workers", "1") as stack:
        yield stack, images, pairs


def opened(page: Page, stack: Stack, comparison: str, query: str = "") -> None:
    page.goto(f"{stack.ui_url}/comparison?id={comparison}&tab=space{query}")
    expect(page.get_by_test_id("space")).to_have_attribute("data-state", "ready")


def lasso(page: Page, panel: int) -> str:
    """Draw a lasso around all points of a panel. Returns the page's text about them."""
    canvas = page.get_by_test_id(f"space-panel-{panel}").locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    for turn in range(33):
        angle = 2 * math.pi * (turn + 4) / 32
        x = box["x"] + box["width"] * (0.5 + 0.69 * math.sin(angle))
        y = box["y"] + box["height"] * (0.5 - 0.69 * math.cos(angle))
        inside_x = min(max(x, box["x"] + 1), box["x"] + box["width"] - 1)
        inside_y = min(max(y, box["y"] + 1), box["y"] + box["height"] - 1)
        page.mouse.move(inside_x, inside_y)
        if turn == 0:
            page.mouse.down()
    page.mouse.up()
    page.wait_for_function("performance.getEntriesByName('lossboard:lasso').length")
    return page.get_by_test_id("space-lasso-count").inner_text()


def walk(page: Page, panel: int, *keys: str) -> int:
    """Move over a panel's samples with the keyboard. Returns the sample reached."""
    canvas = page.get_by_test_id(f"space-panel-{panel}").locator("canvas")
    canvas.focus()
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_timeout(150)
    return int(canvas.get_attribute("data-hovered") or -1)


def test_each_arm_has_a_panel_of_the_same_samples(filled: Filled, page: Page) -> None:
    stack, comparison, _ = filled
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    opened(page, stack, comparison)
    for place, arm in enumerate(ARMS):
        head = page.get_by_test_id(f"space-panel-{place}").locator("header")
        expect(head).to_contain_text(arm)
        expect(head).to_contain_text(f"{SAMPLES} of {3 * SAMPLES} held-out samples")
    said = page.get_by_test_id("space-explanation")
    expect(said).to_contain_text("PCA of the validation snapshot")
    expect(said).to_contain_text("Procrustes (rotation and reflection only)")
    assert lasso(page, 0).startswith(f"{SAMPLES} of {SAMPLES} selected: ")
    expect(page.locator(".lb-sp-strip button")).to_have_count(24)
    assert faults == []


def test_look_inside_shows_the_apis_values_of_each_arm(filled: Filled, page: Page) -> None:
    stack, comparison, _ = filled
    opened(page, stack, comparison)
    sample = walk(page, 1, "ArrowDown", "ArrowRight")
    assert sample >= 0
    card = page.get_by_test_id("space-panel-1").locator(".lb-sp-card")
    expect(card.get_by_role("img").first).to_be_visible()
    page.keyboard.press("Enter")
    near = page.get_by_test_id("space-neighbours")
    expect(near.locator("[data-match]")).to_have_count(30)
    told = stack.get(
        f"/comparisons/{comparison}/space/neighbours", seed=0, epoch=EPOCHS, sample=sample, k=10
    )
    assert [arm["arm"] for arm in told["arms"]] == ARMS
    hits = [found["hit"] for arm in told["arms"] for found in arm["neighbours"]]
    signs = near.locator("[data-match] b").all_inner_texts()
    assert signs == ["✓" if hit else "✗" for hit in hits]
    query = near.locator(".lb-sp-worst button").first
    pictured = str(query.get_by_role("img").get_attribute("aria-label"))
    query.click()
    expect(page.get_by_test_id("space-query").get_by_label(pictured)).to_be_visible()
    expect(near.locator("[data-match]")).to_have_count(30)


def test_another_method_is_made_by_the_worker_and_can_be_taken_along(
    filled: Filled, page: Page, tmp_path: Path
) -> None:
    stack, comparison, _ = filled
    opened(page, stack, comparison)
    page.get_by_test_id("space-method").select_option("pacmap")
    said = page.get_by_test_id("space-explanation")
    expect(said).to_contain_text("PaCMAP of the validation", timeout=90_000)
    with page.expect_download() as download:
        page.get_by_role("link", name="Coordinates (CSV)").click()
    saved = tmp_path / "coordinates.csv"
    download.value.save_as(saved)
    with saved.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(ARMS) * (EPOCHS + 1) * SAMPLES
    assert {row["arm"] for row in rows} == set(ARMS)


def test_the_view_outlives_another_tab(filled: Filled, page: Page) -> None:
    stack, comparison, _ = filled
    opened(page, stack, comparison, "&space-seed=1&space-colour=correct")
    page.get_by_test_id("space-epoch").press("ArrowLeft")
    page.wait_for_url(f"**/*space-epoch={EPOCHS - 1}*")
    page.get_by_role("tab", name="Geometry").click()
    expect(page.get_by_test_id("space")).to_have_count(0)
    page.get_by_role("tab", name="Embedding space").click()
    expect(page.get_by_test_id("space-epoch")).to_have_value(str(EPOCHS - 1))
    expect(page.get_by_test_id("space-colour")).to_have_value("correct")
    expect(page.get_by_label("Seed", exact=True)).to_have_value("1")


def test_a_rerun_of_the_page_leaves_selection_and_sample_alone(filled: Filled, page: Page) -> None:
    stack, comparison, _ = filled
    opened(page, stack, comparison)
    said = lasso(page, 2)
    walk(page, 0, "ArrowUp", "Enter")
    expect(page.get_by_test_id("space-query")).to_be_visible()
    page.get_by_test_id("space").evaluate("element => { element.dataset.same = 'yes' }")
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_timeout(1500)
    expect(page.get_by_test_id("space")).to_have_attribute("data-same", "yes")
    expect(page.get_by_test_id("space-lasso-count")).to_have_text(said)
    expect(page.get_by_test_id("space-query")).to_be_visible()


def test_of_paired_data_each_modality_has_its_sign_and_audio_is_heard(
    filled: Filled, page: Page
) -> None:
    stack, _, comparison = filled
    opened(page, stack, comparison, "&space-colour=modality")
    legend = page.locator(".lb-sp-legend button")
    assert legend.all_inner_texts() == ["audio", "visual"]
    legend.first.click()
    expect(page.get_by_test_id("space-lasso-count")).to_contain_text("60 of 120 selected")
    expect(page.get_by_test_id("space-sound-on")).to_have_attribute("aria-pressed", "true")
    with page.expect_response("**/blobs/*") as heard:
        page.locator(".lb-sp-strip button").first.click()
    assert heard.value.ok
    expect(page.get_by_test_id("space-query")).to_contain_text("audio")


@pytest.mark.parametrize("width", [1440, 800])
def test_panels_are_side_by_side_and_nothing_is_cut_off(
    filled: Filled, browser: Browser, width: int
) -> None:
    stack, comparison, _ = filled
    with new_page(browser, width=width, scheme="dark") as page:
        opened(page, stack, comparison)
        for place in range(3):
            page.get_by_test_id(f"space-panel-{place}").wait_for()
        # All at one moment: what stands above them may still come and move them.
        boxes = page.evaluate(
            "[0, 1, 2].map((place) => {"
            " const box = document.querySelector(`[data-testid=space-panel-${place}]`);"
            " const { right, top } = box.getBoundingClientRect(); return { right, top }; })"
        )
        assert all(box["right"] <= width for box in boxes)
        tops = [box["top"] for box in boxes]
        assert len(set(tops)) == (1 if width == 1440 else 2)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
