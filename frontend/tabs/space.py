"""Embedding space: the arms side by side, and a look inside."""

from frontend.space.component import space
from frontend.tabs.view import View


def show(view: View) -> None:
    """The linked panels; they look after themselves."""
    space(view.id, view.arms, is_open=view.is_open)
