"""Controls that not everybody may use: there for all to see, and disabled with the reason."""

from typing import Any

import streamlit as st

from frontend.ui.current_user import barred


def needs(
    role: str, label: str, *, disabled: bool = False, help: str | None = None, **more: Any
) -> bool:
    """A button that needs a role; the rest as st.button has it."""
    why = barred(role)
    return st.button(label, disabled=disabled or why is not None, help=why or help, **more)
