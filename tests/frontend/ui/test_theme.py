import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest

from frontend.ui.theme import COLORS, DASHES, arm_style, arm_styles

CONFIG = Path(__file__).parents[3] / ".streamlit" / "config.toml"
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def luminance(color: str) -> float:
    """WCAG 2 relative luminance of #rrggbb."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_every_arm_is_legible_on_the_page(theme: Literal["light", "dark"]) -> None:
    config = tomllib.loads(CONFIG.read_text(encoding="utf-8"))
    background = config["theme"][theme]["backgroundColor"]
    ratios = {
        pair: contrast(arm_style(i).color(theme), background) for i, pair in enumerate(COLORS)
    }
    assert len(ratios) == 7
    assert min(ratios.values()) >= 3.0, ratios


def test_arms_differ_in_colour_or_dash_and_neighbours_in_both() -> None:
    styles = [arm_style(index) for index in range(20)]
    assert len(set(styles)) == 20
    for one, other in pairwise(styles):
        assert one.light != other.light
        assert one.dash != other.dash
    assert len(set(DASHES)) == 5


def test_an_arm_looks_the_same_wherever_its_place_is_known() -> None:
    assert arm_styles(["contrastive", "triplet"]) == {
        "contrastive": arm_style(0),
        "triplet": arm_style(1),
    }
