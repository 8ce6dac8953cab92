"""Embedding space: the arms side by side, and a look inside."""

from frontend.comparison.tabs.view import View
from frontend.space.component import space


def show_space(view: View) -> None:
    """The linked panels; they look after themselves."""
    space(view.id, view.arms, is_open=view.is_open)
