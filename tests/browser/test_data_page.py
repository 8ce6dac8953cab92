"""A team's own images, in a real Chromium: chosen, checked, seen, compared on, prepared."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.stack import Stack
from tests.support.tiny_sets import image_files, zipped

LOADED = "images => images.filter((one) => one.complete && one.naturalWidth > 0).length"


@pytest.mark.slow
def test_images_from_their_zip_to_the_features_of_a_frozen_backbone(
    stack: Stack, page: Page, tmp_path: Path
) -> None:
    archive = zipped(tmp_path / "own images.zip", image_files(classes=4, each=60))
    page.goto(f"{stack.ui_url}/datasets")
    page.locator("input[type=file]").set_input_files(archive)
    page.get_by_label("Name", exact=True).fill("images of noise")
    page.get_by_role("button", name=re.compile(r"Upload \d")).click()
    card = page.get_by_test_id("stCaptionContainer").get_by_text("240 items, 4 classes, 24 x 24")
    expect(card).to_be_visible()

    [kept] = [one for one in stack.get("/datasets")["datasets"] if one["name"] == "images of noise"]
    images = page.locator(f"img[src*='{kept['id']}']")
    expect(images).to_have_count(12)
    images.first.scroll_into_view_if_needed()
    page.wait_for_function(
        f"id => ({LOADED})([...document.querySelectorAll(`img[src*='${{id}}']`)]) === 12",
        arg=kept["id"],
    )

    page.get_by_role("button", name="Compare losses on this data").first.click()
    expect(page.get_by_label("Name", exact=True).first).to_have_value(
        "images of noise: contrastive vs triplet"
    )
    source = page.get_by_label("Uploaded data set")
    expect(source).to_have_value("images of noise: 240 items, 4 classes")

    # Random weights, for a test downloads nothing.
    encoder = {"kind": "resnet18", "weights": "random", "embedding_dim": 8}
    arms = [{"name": "triplet", "loss": {"kind": "triplet"}}]
    data = {"kind": "image_folder", "dataset": kept["id"], "split": "item"}
    training = {"epochs": 1, "batch_size": 32}
    spec = {"name": "own", "data": data, "encoder": encoder, "training": training}
    comparison = stack.submit({**spec, "arms": arms, "seeds": [0]})
    page.goto(f"{stack.ui_url}/comparison?id={comparison}")
    preparing = page.get_by_test_id("run-preparing")
    expect(preparing).to_contain_text("triplet · seed 0: computing features")
    expect(page.get_by_test_id("run-triplet-0")).to_contain_text("preparing")
    stack.wait_ended(comparison, timeout=150)
    expect(preparing).to_be_empty()
    page.get_by_role("tab", name="Retrieval").click()
    expect(page.get_by_text("raw backbone").first).to_be_visible()

    page.goto(f"{stack.ui_url}/datasets")
    page.get_by_role("button", name="Delete").first.click()
    page.get_by_role("button", name="Delete permanently").click()
    expect(page.get_by_text(f"({comparison})")).to_be_visible()


@pytest.mark.slow
def test_the_problems_of_a_zip_are_listed_row_by_row(
    stack: Stack, page: Page, tmp_path: Path
) -> None:
    files = {**image_files(classes=2), "c0/broken.jpg": b"no image", "c1/deep/x.jpg": b""}
    page.goto(f"{stack.ui_url}/datasets")
    page.locator("input[type=file]").set_input_files(zipped(tmp_path / "bad.zip", files))
    page.get_by_role("button", name=re.compile(r"Upload \d")).click()
    expect(page.get_by_text("Upload rejected")).to_be_visible()
    expect(page.get_by_role("rowheader", name="c0/broken.jpg")).to_be_visible()
    expect(page.get_by_role("rowheader", name="c1/deep")).to_be_visible()
