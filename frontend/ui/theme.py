"""One look per arm, the same on every page: a colour that colour-blind people can tell from its
neighbours, and a dash as the second sign."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Dash = Literal["solid", "dash", "dot", "dashdot", "longdash"]


@dataclass(frozen=True)
class ArmStyle:
    """How one arm is drawn."""

    light: str
    """Colour on the light theme, as #rrggbb."""
    dark: str
    """Colour on the dark theme, the same hue."""
    dash: Dash

    def color(self, theme: Literal["light", "dark"]) -> str:
        """The colour on that theme."""
        return self.dark if theme == "dark" else self.light


COLORS: Final = (
    ("#0072b2", "#4ba3e3"),
    ("#d55e00", "#f07a2b"),
    ("#00845f", "#22b98d"),
    ("#b65a92", "#d98fbb"),
    ("#9a7200", "#e0ad2f"),
    ("#3d8fc4", "#8accf2"),
    ("#5b6570", "#a3adb8"),
)
"""Hues of Okabe & Ito (2008), Color Universal Design, in this order; on (light, dark), with the
lightness moved where needed for a contrast of 3 : 1 against the page. Their yellow is left out:
no shade of it stays yellow and legible on white."""

DASHES: Final[tuple[Dash, ...]] = ("solid", "dash", "dot", "dashdot", "longdash")


def arm_style(index: int) -> ArmStyle:
    """The look of the arm at this place in the spec.

    Neighbours differ in colour and dash both; the pair repeats after 35 arms.
    """
    light, dark = COLORS[index % len(COLORS)]
    return ArmStyle(light, dark, DASHES[index % len(DASHES)])


def arm_styles(names: Iterable[str]) -> dict[str, ArmStyle]:
    """The looks of a comparison's arms, by name; names in the spec's order."""
    return {name: arm_style(index) for index, name in enumerate(names)}
