"""Data that come as tuples in a real browser: from the preset to every tab of the comparison."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.accessibility import at_rest
from tests.support.specs import small
from tests.support.stack import Stack

DATA = {"kind": "generated_tuples", "per_request": 1}
ENCODER = {"kind": "static_text", "embedding_dim": 16}


def tuples(shape: str, *kinds: str) -> dict[str, object]:
    arms = [{"name": f"{kind} {place}", "loss": {"kind": kind}} for place, kind in enumerate(kinds)]
    return small(
        name=f"tuples: {shape}",
        data={**DATA, "shape": shape},
        encoder=ENCODER,
        training={"epochs": 2, "batch_size": 32},
        arms=arms,
    )


@pytest.mark.parametrize(
    ("shape", "kinds"),
    [
        ("triplets", ("contrastive", "triplet", "info_nce")),
        pytest.param("scored_pairs", ("cosent", "cosent"), marks=pytest.mark.slow),
    ],
)
def test_every_tab_shows_what_tuples_have(
    stack: Stack, page: Page, shape: str, kinds: tuple[str, ...]
) -> None:
    comparison = stack.submit(tuples(shape, *kinds))
    runs = stack.wait_ended(comparison)
    assert {run["state"] for run in runs} == {"succeeded"}
    scored = shape == "scored_pairs"
    for tab, shown in (
        ("live", "Optimisation dynamics"),
        ("geometry", "Geometry of the held-out embeddings"),
        ("retrieval", "Spearman correlation" if scored else "Worst queries"),
        ("space", "Look inside"),
        ("leaderboard", "Spearman correlation" if scored else "Mean reciprocal rank"),
        ("verdict", "no claim is judged"),
        ("model", "Spearman correlation" if scored else "Mean reciprocal rank"),
        ("setup", "Generated tuples"),
    ):
        page.goto(f"{stack.ui_url}/comparison?id={comparison}&tab={tab}")
        at_rest(page)
        expect(page.get_by_text(shown).first).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("By class")).to_have_count(0)
