"""The style of each arm, the same on every page: a colour and, as a second sign, a dash."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class ArmStyle:
    """Colours and dash of one arm."""

    light: str
    """Colour on the light theme, as #rrggbb."""
    dark: str
    """Colour on the dark theme, a similar hue."""
    dash: str
    """As Plotly and SVG take it: "solid", or the lengths of dashes and gaps in pixels."""

    def color(self, theme: Theme) -> str:
        """Return the colour on a theme."""
        return self.dark if theme == "dark" else self.light


COLORS: Final = (
    ("#0072b2", "#4ba3e3"),
    ("#d55e00", "#f07a2b"),
    ("#593263", "#facff9"),
    ("#b06b7f", "#c0558c"),
    ("#754310", "#dcb47f"),
    ("#5d9655", "#b6f2c7"),
    ("#223dac", "#7070ee"),
    ("#b11f53", "#f890b6"),
    ("#055839", "#5e9366"),
    ("#9b83c2", "#937dae"),
)
"""Colours on the light and the dark theme, the first two by Okabe & Ito (2008), Color Universal
Design. The others were searched for, so that those of any two arms stay apart (CIEDE2000) for
colour-blind people too: with deuteranopia, protanopia and tritanopia as Machado, Oliveira &
Fernandes (2009) model them. All have a contrast of 3 : 1 against the page."""

NEUTRAL: Final = ("#5b6570", "#a3adb8")
"""Colours of lines that belong to no arm, on the light and the dark theme."""

DARK_COLORS: Final = dict([*COLORS, NEUTRAL])
"""Colour on the light theme -> the one on the dark theme in its place."""

DASHES: Final = (
    "solid",
    "7px,3px",
    "2px,3px",
    "9px,3px,2px,3px",
    "15px,4px",
    "4px,5px",
    "8px,3px,2px,3px,2px,3px",
)


def arm_style(index: int) -> ArmStyle:
    """Return the style of the arm at this index in the spec.

    Of seven arms in a row any two differ in both colour and dash; styles repeat after 70 arms.
    """
    light, dark = COLORS[index % len(COLORS)]
    return ArmStyle(light, dark, DASHES[index % len(DASHES)])


def arm_styles(names: Iterable[str]) -> dict[str, ArmStyle]:
    """Return the styles of a comparison's arms by name; give the names in the spec's order."""
    return {name: arm_style(index) for index, name in enumerate(names)}


def line_sample(color: str, dash: str) -> str:
    """Return a sample of an arm's line as HTML, for legends and headings.

    Args:
        color: any CSS colour.
        dash: the arm's, see `ArmStyle.dash`.
    """
    stops, end = [], 0
    for index, length in enumerate([] if dash == "solid" else dash.split(",")):
        begin, end = end, end + int(length.removesuffix("px"))
        stops.append(f"{'transparent' if index % 2 else color} {begin}px {end}px")
    line = f"repeating-linear-gradient(90deg, {', '.join(stops)})" if stops else color
    return f"<span class='lb-sample' style='background: {line}'></span>"  # st.html drops SVG
