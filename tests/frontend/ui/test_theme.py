import tomllib
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from frontend.ui.theme import COLORS, DARK_COLORS, DASHES, arm_style, arm_styles, line_sample
from tests.support.colour_vision import VISIONS, ciede2000, nearest

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
    colors = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"][theme]
    grounds = [colors["backgroundColor"], colors["secondaryBackgroundColor"]]
    ratios = [
        contrast(arm_style(index).color(theme), ground)
        for index in range(len(COLORS))
        for ground in grounds
    ]
    assert len(ratios) == 20
    assert min(ratios) >= 3.0, ratios


@pytest.mark.parametrize("theme", THEMES)
def test_names_in_an_arms_colour_are_legible_as_text(theme: Literal["light", "dark"]) -> None:
    """They have 70 % of it, see `ink` in frontend/live/js/dom.js."""
    colors = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"][theme]

    def mixed(color: str) -> str:
        ends = [bytes.fromhex(one[1:]) for one in (color, colors["textColor"])]
        return "#" + "".join(f"{round(0.7 * a + 0.3 * b):02x}" for a, b in zip(*ends, strict=True))

    for index in range(len(COLORS)):
        name = mixed(arm_style(index).color(theme))
        assert contrast(name, colors["backgroundColor"]) >= 4.5
        assert contrast(name, colors["secondaryBackgroundColor"]) >= 4.5


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("theme", THEMES)
def test_colours_stay_apart_for_colour_blind_people(
    theme: Literal["light", "dark"], vision: str
) -> None:
    colors = [arm_style(index).color(theme) for index in range(10)]
    assert nearest(colors[:2], vision) > 30
    assert nearest(colors[:7], vision) > (16 if vision == "normal" else 10.5)
    assert nearest(colors, vision) > 9


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [  # Sharma, Wu & Dalal (2005), pairs 1, 7, 16, 20 and 33
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
        ((50.0, 2.5, 0.0), (58.0, 24.0, 15.0), 19.4535),
        ((6.7747, -0.2908, -2.4247), (5.8714, -0.0985, -2.2286), 0.6377),
    ],
)
def test_differences_of_colours_are_those_of_the_literature(
    one: tuple[float, ...], other: tuple[float, ...], difference: float
) -> None:
    assert ciede2000(np.array(one), np.array(other)) == pytest.approx(difference, abs=1e-4)


def test_any_two_of_seven_arms_in_a_row_differ_in_colour_and_dash() -> None:
    styles = [arm_style(index) for index in range(70)]
    assert len(set(styles)) == 70
    for first in range(len(styles) - 6):
        for one, other in combinations(styles[first : first + 7], 2):
            assert one.light != other.light
            assert one.dark != other.dark
            assert one.dash != other.dash
    assert len(set(DASHES)) == 7


def test_each_light_colour_has_one_dark_colour_in_its_place() -> None:
    assert len(DARK_COLORS) == len(COLORS) + 1, "those of the arms, and the neutral one"


def test_a_sample_of_a_line_has_the_dash_of_the_charts() -> None:
    solid, dashed, mixed = (line_sample("#0072b2", arm_style(index).dash) for index in (0, 1, 3))
    assert "background: #0072b2'" in solid
    assert DASHES[1] == "7px,3px"
    assert "(90deg, #0072b2 0px 7px, transparent 7px 10px)" in dashed
    assert mixed.endswith("#0072b2 12px 14px, transparent 14px 17px)'></span>")
    assert "<svg" not in dashed, "Streamlit leaves it out"


def test_an_arm_looks_the_same_wherever_its_place_is_known() -> None:
    assert arm_styles(["contrastive", "triplet"]) == {
        "contrastive": arm_style(0),
        "triplet": arm_style(1),
    }
