"""The embedding panels in a real browser, over an API that is made to fail, wait and grow."""

import math
import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.serving import serving
from tests.support.space_peer import SpacePeer, two_clouds

A_SAMPLE = re.compile(r"^\d+$")
ARMS = ["contrastive", "triplet", "sup_con", "n_pair"]
SHARE = """(canvas, [left, right]) => {
  const {width, height} = canvas;
  const from = Math.round(width * left);
  const {data} = canvas.getContext('2d').getImageData(
    from, height * 0.3, Math.round(width * right) - from, height * 0.4);
  let strong = 0;
  for (let at = 0; at < data.length; at += 4) {
    strong += Math.max(data[at], data[at + 1], data[at + 2]) -
      Math.min(data[at], data[at + 1], data[at + 2]) > 90;
  }
  return strong / (data.length / 4);
}"""
"""Share of a part of a panel that is in strong colours."""


NEWS_MS = 10_000
"""Interval at which the page asks for new snapshots (polling.js); tests skip it."""


def opened(page: Page, url: str, query: str = "") -> None:
    page.goto(url + query)
    expect(page.get_by_test_id("space")).to_have_attribute("data-state", "ready")


def canvas_box(page: Page, panel: int = 0) -> tuple[float, float, float, float]:
    box = page.get_by_test_id(f"space-panel-{panel}").locator("canvas").bounding_box()
    assert box
    return box["x"], box["y"], box["width"], box["height"]


def lasso(page: Page, panel: int, left: float, right: float, *, shift: bool = False) -> None:
    """Draw a lasso around a part of a panel's width, as a hand does."""
    x, y, width, height = canvas_box(page, panel)
    middle, radius = x + width * (left + right) / 2, width * (right - left) / 2
    for turn in range(41):
        angle = 2 * math.pi * turn / 40
        page.mouse.move(
            middle + radius * math.sin(angle), y + height * (0.5 - 0.45 * math.cos(angle))
        )
        if turn == 0 and shift:
            page.keyboard.down("Shift")
        if turn == 0:
            page.mouse.down()
    page.mouse.up()
    if shift:
        page.keyboard.up("Shift")


def strong(page: Page, panel: int, left: float, right: float) -> float:
    canvas = page.get_by_test_id(f"space-panel-{panel}").locator("canvas")
    share: float = canvas.evaluate(SHARE, [left, right])
    return share


def test_a_lasso_marks_the_same_samples_in_all_panels_at_once(page: Page) -> None:
    with serving(two_clouds(ARMS, 10_000, 6).app()) as url:
        opened(page, url)
        assert min(strong(page, panel, 0.15, 0.35) for panel in range(4)) > 0.2
        lasso(page, 0, 0.0, 0.5)
        count = page.get_by_test_id("space-lasso-count")
        expect(count).to_have_text("4,999 of 10,000 selected: class 0: 4,999")
        page.wait_for_function("performance.getEntriesByName('lossboard:lasso').length")
        for panel in range(4):
            chosen, others = (0.15, 0.35), (0.65, 0.85)
            if panel % 2:
                chosen, others = others, chosen
            assert strong(page, panel, *chosen) > 10 * strong(page, panel, *others), panel
        page.keyboard.press("Tab")
        page.get_by_test_id("space-clear").click()
        expect(count).to_contain_text("Draw around points")


def test_a_drag_with_shift_moves_all_panels_and_a_double_click_brings_them_back(
    page: Page,
) -> None:
    with serving(two_clouds(ARMS[:2], 200).app()) as url:
        opened(page, url)
        before = [strong(page, panel, 0.1, 0.4) for panel in (0, 1)]
        x, y, width, height = canvas_box(page)
        page.keyboard.down("Shift")
        page.mouse.move(x + width * 0.1, y + height * 0.5)
        page.mouse.down()
        page.mouse.move(x + width * 0.95, y + height * 0.5, steps=5)
        page.mouse.up()
        page.keyboard.up("Shift")
        page.wait_for_timeout(100)
        assert [strong(page, panel, 0.1, 0.4) for panel in (0, 1)] == [0, 0]
        page.mouse.dblclick(x + 5, y + 5)
        page.wait_for_timeout(100)
        assert [strong(page, panel, 0.1, 0.4) for panel in (0, 1)] == before
        expect(page.get_by_test_id("space-lasso-count")).to_contain_text("Draw around")


def test_a_wheel_zooms_all_panels(page: Page) -> None:
    with serving(two_clouds(ARMS[:2], 200).app()) as url:
        opened(page, url)
        before = strong(page, 1, 0, 1)
        x, y, width, height = canvas_box(page)
        page.mouse.move(x + width / 2, y + height / 2)
        page.mouse.wheel(0, -2000)
        page.wait_for_timeout(200)
        assert strong(page, 1, 0, 1) < before / 2, "what was in the middle has gone to the sides"


def test_keys_walk_from_sample_to_sample_and_enter_looks_inside(page: Page) -> None:
    with serving(two_clouds(ARMS[:2], 60).app()) as url:
        opened(page, url)
        canvas = page.get_by_test_id("space-panel-1").locator("canvas")
        canvas.focus()
        page.keyboard.press("ArrowRight")
        expect(canvas).to_have_attribute("data-hovered", A_SAMPLE)
        first = str(canvas.get_attribute("data-hovered"))
        page.keyboard.press("ArrowRight")
        expect(canvas).not_to_have_attribute("data-hovered", first)
        expect(canvas).to_have_attribute("data-hovered", A_SAMPLE)
        sample = canvas.get_attribute("data-hovered")
        other = page.get_by_test_id("space-panel-0").locator("canvas")
        expect(other).to_have_attribute("data-hovered", str(sample))
        card = page.get_by_test_id("space-panel-1").locator(".lb-sp-card")
        expect(card).to_contain_text(f"sample {sample}")
        page.keyboard.press("Enter")
        near = page.get_by_test_id("space-neighbours")
        expect(near.locator("[data-match]")).to_have_count(20)
        expect(near.locator("[data-match=hit]")).to_have_count(10)
        expect(near.locator("[data-match=miss] b").first).to_have_text("✗")
        expect(page.get_by_test_id("space-query")).to_contain_text(f"sample {sample}")
        page.keyboard.press("Escape")
        expect(card).to_be_hidden()
        near.locator("[data-match]").first.click()
        expect(page.get_by_test_id("space-query")).to_contain_text(
            f"sample {(int(sample or 0) + 1) % 60}"
        )
        assert "space-sample=" in page.url


def test_a_search_finds_classes_and_samples_with_the_keyboard(page: Page) -> None:
    with serving(two_clouds(ARMS[:2], 60).app()) as url:
        opened(page, url)
        field = page.get_by_role("combobox", name="Find a class or a sample")
        field.fill("class")
        options = page.get_by_role("listbox").get_by_role("option")
        expect(options).to_have_count(2)
        page.keyboard.press("ArrowDown")
        expect(options.nth(1)).to_have_attribute("aria-selected", "true")
        page.keyboard.press("Enter")
        count = page.get_by_test_id("space-lasso-count")
        expect(count).to_contain_text("30 of 60 selected: class 1: 30")
        expect(field).to_have_attribute("aria-expanded", "false")
        field.fill("59")
        expect(options).to_have_count(1)
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("space-query")).to_contain_text("sample 59")
        field.fill("nothing")
        expect(options).to_contain_text("No class and no sample")
        page.keyboard.press("Escape")
        expect(page.get_by_role("listbox")).to_be_hidden()


def test_the_strip_selects_a_tuple_and_the_bars_a_class(page: Page) -> None:
    with serving(two_clouds(ARMS[:3], 60).app()) as url:
        opened(page, url)
        strip, count = (
            page.get_by_test_id("space-hardest"),
            page.get_by_test_id("space-lasso-count"),
        )
        strip.scroll_into_view_if_needed()
        triplets = page.get_by_test_id("space-tuples").get_by_role("button")
        expect(triplets).to_have_count(3)
        expect(page.get_by_test_id("space-hardest-text")).to_contain_text(
            "epoch 1 among 60 samples"
        )
        name = "anchor class 0 (sample 0), positive class 0 (sample 2), negative class 1 (sample 1)"
        triplets.first.and_(page.get_by_role("button", name=name)).click()
        expect(count).to_contain_text("3 of 60 selected: class 0: 2, class 1: 1")
        page.get_by_test_id("space-tuples-negatives").click()
        expect(page.get_by_test_id("space-tuples")).to_contain_text("There are no two classes.")
        page.get_by_test_id("space-tuples-suspects").click()
        page.get_by_test_id("space-suspects").get_by_role("button").click()
        expect(page.get_by_test_id("space-query")).to_contain_text("sample 5")
        assert "space-tuples=suspects" in page.url

        moved = page.get_by_test_id("space-moved")
        moved.scroll_into_view_if_needed()
        classes = page.get_by_test_id("space-moved-classes").get_by_role("button")
        expect(classes).to_have_count(2)
        expect(classes.first).to_contain_text("25 %")
        expect(page.get_by_test_id("space-cka")).to_contain_text("0.800 debiased, over 60 samples")
        with page.expect_request(lambda asked: f"b={ARMS[2]}" in asked.url):
            page.get_by_label("with", exact=True).select_option(ARMS[2])
        classes.first.click()
        expect(count).to_contain_text("30 of 60 selected: class 1: 30")


def test_a_panel_is_shaded_where_its_points_are_dense(page: Page) -> None:
    with serving(two_clouds(ARMS[:2], 400).app()) as url:
        opened(page, url)
        picture = "canvas => canvas.toDataURL()"
        first, second = (
            page.get_by_test_id(f"space-panel-{place}").locator("canvas") for place in (0, 1)
        )
        before = [panel.evaluate(picture) for panel in (first, second)]
        toggle = page.get_by_role("button", name=f"Density shading of {ARMS[0]}")
        toggle.click()
        expect(toggle).to_have_attribute("aria-pressed", "true")
        page.wait_for_function(
            "before => document.querySelector('[data-testid=space-panel-0] canvas')"
            ".toDataURL() !== before",
            arg=before[0],
        )
        assert second.evaluate(picture) == before[1], "the other panel stays as it is"
        assert f"space-density={ARMS[0]}" in page.url


def test_a_seed_with_a_split_of_its_own_shows_its_own_samples(page: Page) -> None:
    peer = two_clouds(ARMS, 40, 3)
    peer.seeds = (3, 4)
    with serving(peer.app()) as url:
        opened(page, url, "?space-seed=4")
        assert "/comparisons/c1/space?seed=4" in peer.calls
        assert "/comparisons/c1/space?seed=3" not in peer.calls
        lasso(page, 0, 0.0, 0.5)
        count = page.get_by_test_id("space-lasso-count")
        expect(count).to_contain_text("of 40 selected")
        with page.expect_response(lambda answer: answer.url.endswith("/space?seed=3")):
            page.get_by_test_id("space-seed").select_option("3")
        expect(count).to_contain_text("Draw around points")  # the same numbers are other items


def test_the_address_brings_the_same_view_back(page: Page) -> None:
    with serving(two_clouds(ARMS, 40, 3).app()) as url:
        opened(
            page, url, "?space-epoch=1&space-colour=correct&space-arms=n_pair&space-arms=triplet"
        )
        expect(page.get_by_test_id("space-epoch")).to_have_value("1")
        expect(page.get_by_test_id("space-colour")).to_have_value("correct")
        names = page.locator("[data-testid^=space-panel-] h2")
        assert names.all_inner_texts() == ["triplet", "n_pair"]
        page.get_by_test_id("space-epoch").press("ArrowRight")
        page.wait_for_url(lambda address: "space-epoch" not in address)


def test_five_arms_show_four_and_a_fifth_waits_for_room(page: Page) -> None:
    with serving(two_clouds([*ARMS, "info_nce"], 40).app()) as url:
        opened(page, url)
        panels = page.locator("[data-testid^=space-panel-]")
        expect(panels).to_have_count(4)
        page.get_by_test_id("space-arm-info_nce").click(force=True)
        expect(panels).to_have_count(4)
        page.get_by_test_id("space-arm-triplet").click()
        expect(panels).to_have_count(3)
        page.get_by_test_id("space-arm-info_nce").click()
        expect(page.get_by_test_id("space-panel-3")).to_contain_text("info_nce")


@pytest.mark.slow
def test_epochs_play_to_the_last(page: Page) -> None:
    with serving(two_clouds(ARMS[:2], 40, 3).app()) as url:
        opened(page, url)
        slider, play = page.get_by_test_id("space-epoch"), page.get_by_test_id("space-play")
        expect(slider).to_have_value("2")
        play.click()
        expect(play).to_have_attribute("aria-label", "Pause")
        expect(slider).to_have_value("0")
        expect(slider).to_have_value("2")
        expect(play).to_have_attribute("aria-label", "Play through the epochs")


@pytest.mark.slow
def test_three_axes_turn_by_a_drag(page: Page) -> None:
    with serving(two_clouds(ARMS[:2], 200).app()) as url:
        opened(page, url)
        page.get_by_test_id("space-dims-3").click()
        expect(page.get_by_test_id("space-drag-move")).to_have_attribute("aria-pressed", "true")
        page.wait_for_url("**/*space-dims=3*")
        page.wait_for_timeout(500)
        picture = "canvas => canvas.toDataURL()"
        canvas = page.get_by_test_id("space-panel-1").locator("canvas")
        before = canvas.evaluate(picture)
        lasso(page, 0, 0.3, 0.6)
        page.wait_for_timeout(200)
        assert canvas.evaluate(picture) != before, "the other panel has turned too"
        lasso(page, 0, 0.0, 1.0, shift=True)
        expect(page.get_by_test_id("space-lasso-count")).to_contain_text("selected")


def test_without_a_snapshot_it_says_when_the_first_comes_and_shows_it_then(page: Page) -> None:
    peer = two_clouds(ARMS[:2], 40)
    peer.snapshots, peer.is_open = False, True
    page.clock.install()
    with serving(peer.app()) as url:
        page.goto(url)
        notice = page.get_by_test_id("space-notice")
        expect(notice).to_contain_text("First snapshot at epoch 0")
        expect(notice).to_contain_text("every 5 epochs")
        peer.snapshots = True
        page.clock.fast_forward(NEWS_MS)
        expect(page.get_by_test_id("space-panel-1")).to_be_visible()
        expect(notice).to_be_hidden()


def test_new_snapshots_are_offered_and_do_not_take_the_view_away(page: Page) -> None:
    peer = two_clouds(ARMS[:2], 40, 3)
    whole = peer.coordinates
    peer.is_open, peer.epochs, peer.coordinates = True, [0, 1], whole[:, :2]
    page.clock.install()
    with serving(peer.app()) as url:
        opened(page, url)
        lasso(page, 0, 0.0, 0.5)
        said = page.get_by_test_id("space-lasso-count").inner_text()
        peer.offered = [0, 1, 2]
        page.clock.fast_forward(NEWS_MS)
        offer = page.get_by_test_id("space-offer")
        expect(offer).to_contain_text("epoch 2")
        peer.epochs, peer.coordinates = [0, 1, 2], whole
        offer.get_by_role("button").click()
        expect(page.get_by_test_id("space-epoch")).to_have_attribute("max", "2")
        expect(page.get_by_test_id("space-epoch")).to_have_value("2")
        expect(page.get_by_test_id("space-lasso-count")).to_have_text(said)
        expect(offer).to_be_hidden()


def test_a_projection_says_how_far_it_is_and_a_failed_one_can_be_tried_again(page: Page) -> None:
    peer = two_clouds(ARMS[:2], 40)
    peer.state = "queued"
    with serving(peer.app()) as url:
        page.goto(url)
        notice = page.get_by_test_id("space-notice")
        expect(notice).to_contain_text("PCA is 2nd in line, about 40 s")
        peer.state = "running"
        expect(notice).to_contain_text("PCA is being computed: 40 %, about 12 s left")
        peer.state, peer.error = "failed", "out of memory at 3 GB"
        expect(notice).to_contain_text("out of memory at 3 GB")
        asked = len(peer.calls)
        page.wait_for_timeout(1500)
        assert len(peer.calls) == asked, "a failed one is not asked for by itself"
        peer.state = "ready"
        page.get_by_test_id("space-again").click()
        expect(page.get_by_test_id("space")).to_have_attribute("data-state", "ready")


def test_while_a_method_waits_pca_is_shown_and_it_can_be_cancelled_and_started_again(
    page: Page,
) -> None:
    peer = two_clouds(ARMS[:2], 40)
    peer.state, peer.ready = "queued", ("pca",)
    with serving(peer.app()) as url:
        page.goto(f"{url}?space-method=tsne")
        notice = page.get_by_test_id("space-notice")
        expect(notice).to_contain_text("t-SNE is 2nd in line, about 40 s")
        expect(notice).to_contain_text("Until then the panels show PCA.")
        expect(page.get_by_test_id("space-explanation")).to_contain_text("PCA of the validation")
        peer.state = "running"
        bar = page.get_by_role("progressbar", name="t-SNE, progress")
        expect(bar).to_have_attribute("aria-valuenow", "40")
        page.get_by_test_id("space-cancel").press("Enter")
        expect(notice).to_contain_text("t-SNE was cancelled")
        expect(page.get_by_test_id("space-again")).to_be_focused()
        page.keyboard.press("Enter")
        expect(notice).to_contain_text("t-SNE is being computed: 40 %")
        peer.state = "ready"
        expect(page.get_by_test_id("space")).to_have_attribute("data-state", "ready")
        expect(page.get_by_test_id("space-explanation")).to_contain_text("t-SNE of the validation")


def test_an_api_that_is_away_is_asked_again(page: Page) -> None:
    peer = two_clouds(ARMS[:2], 40)
    peer.status = 502
    with serving(peer.app()) as url:
        page.goto(url)
        expect(page.get_by_test_id("space-notice")).to_contain_text("asked again")
        peer.status = 200
        expect(page.get_by_test_id("space")).to_have_attribute("data-state", "ready")


def test_what_is_shown_stays_while_the_api_is_away_and_the_notice_goes(page: Page) -> None:
    peer = two_clouds(ARMS[:2], 40)
    peer.is_open = True
    page.clock.install()
    with serving(peer.app()) as url:
        opened(page, url)
        notice = page.get_by_test_id("space-notice")
        peer.status = 502
        page.clock.fast_forward(NEWS_MS)
        expect(notice).to_contain_text("asked again")
        peer.status = 200
        page.clock.fast_forward(NEWS_MS)
        expect(notice).to_be_hidden()
        expect(page.get_by_test_id("space")).to_have_attribute("data-state", "ready")


def test_a_rerun_of_the_page_leaves_the_focus_in_a_panel(page: Page) -> None:
    with serving(two_clouds(ARMS[:2], 40).app()) as url:
        opened(page, url)
        canvas = page.get_by_test_id("space-panel-1").locator("canvas")
        canvas.focus()
        page.evaluate("window.update({ name: 'renamed' })")
        expect(page.locator(".lb-sp-tools")).to_have_attribute("data-comparison", "renamed")
        expect(canvas).to_be_focused()


def test_a_deleted_comparison_says_so_and_asks_no_more(page: Page) -> None:
    peer = two_clouds(ARMS[:2], 40)
    peer.status, peer.is_open = 404, True
    with serving(peer.app()) as url:
        page.goto(url)
        expect(page.get_by_test_id("space-notice")).to_contain_text("no longer exists")
        page.wait_for_timeout(1000)
        assert len(peer.calls) == 1


def test_coordinates_of_another_size_are_refused_in_words(page: Page) -> None:
    peer: SpacePeer = two_clouds(ARMS[:2], 40)
    peer.coordinates = peer.coordinates[:, :1]
    with serving(peer.app()) as url:
        page.goto(url)
        expect(page.get_by_test_id("space-notice")).to_contain_text(
            "160 coordinates came where 320 were due"
        )


def test_unmounted_it_asks_nothing_more(page: Page) -> None:
    peer = two_clouds(ARMS[:2], 40)
    peer.state = "running"
    with serving(peer.app()) as url:
        page.goto(url)
        expect(page.get_by_test_id("space-notice")).to_contain_text("40 %")
        page.evaluate("window.unmount()")
        page.wait_for_timeout(200)
        asked = len(peer.calls)
        page.wait_for_timeout(1600)
        assert len(peer.calls) == asked
        expect(page.get_by_test_id("space")).to_have_count(0)
