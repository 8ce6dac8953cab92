"""What every tab of a comparison's page is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from frontend.api.client import Api
from frontend.api.types import ComparisonDetail
from frontend.comparison.html import Theme
from frontend.ui.text import OPEN
from frontend.ui.theme import ArmStyle, arm_styles


@dataclass(frozen=True)
class View:
    """One comparison as it is now, and who looks at it."""

    client: Api
    comparison: ComparisonDetail
    catalogue: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The comparison's."""
        return str(self.comparison["id"])

    @property
    def arms(self) -> list[str]:
        """Names in the spec's order."""
        return list(self.comparison["arms"])

    @property
    def styles(self) -> dict[str, ArmStyle]:
        """The arms' looks."""
        return arm_styles(self.arms)

    @property
    def is_open(self) -> bool:
        """Whether something of it is queued or running."""
        return self.comparison["state"] in OPEN


def theme() -> Theme:
    """The viewer's theme."""
    return "dark" if st.context.theme.type == "dark" else "light"
