"""The style of each arm, the same on every page: a colour and, as a second sign, a dash.

Colour-blind people can tell the colours of neighbouring arms apart.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Theme = Literal["light", "dark"]
Dash = Literal["solid", "dash", "dot", "dashdot", "longdash"]


@dataclass(frozen=True)
class ArmStyle:
    """Colours and dash of one arm."""

    light: str
    """Colour on the light theme, as #rrggbb."""
    dark: str
    """Colour on the dark theme, the same hue."""
    dash: Dash

    def color(self, theme: Theme) -> str:
        """Return the colour on a theme."""
        return self.dark if theme == "dark" else self.light

    @property
    def css_line(self) -> str:
        """The CSS border style nearest to the dash."""
        return {"solid": "solid", "dot": "dotted"}.get(self.dash, "dashed")


COLORS: Final = (
    ("#0072b2", "#4ba3e3"),
    ("#d55e00", "#f07a2b"),
    ("#00845f", "#22b98d"),
    ("#b65a92", "#d98fbb"),
    ("#9a7200", "#e0ad2f"),
    ("#3d8fc4", "#8accf2"),
    ("#5b6570", "#a3adb8"),
)
"""Colours on the light and the dark theme: hues of Okabe & Ito (2008), Color Universal Design, in
their order. The lightness is changed where needed for a contrast of 3 : 1 against the page. Their
yellow is left out: no shade of it is both yellow and legible on white."""

DASHES: Final[tuple[Dash, ...]] = ("solid", "dash", "dot", "dashdot", "longdash")


def arm_style(index: int) -> ArmStyle:
    """Return the style of the arm at this index in the spec.

    Neighbours differ in both colour and dash; styles repeat after 35 arms.
    """
    light, dark = COLORS[index % len(COLORS)]
    return ArmStyle(light, dark, DASHES[index % len(DASHES)])


def arm_styles(names: Iterable[str]) -> dict[str, ArmStyle]:
    """Return the styles of a comparison's arms by name; give the names in the spec's order."""
    return {name: arm_style(index) for index, name in enumerate(names)}
