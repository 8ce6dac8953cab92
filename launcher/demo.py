"""The first comparison, so that a new dashboard opens on curves that grow."""

import webbrowser
from collections.abc import Mapping
from typing import Any

from launcher.console import LauncherError
from launcher.machine import has_display
from launcher.plan import get_json

PRESET = "digits"
WAIT_S = 10.0


class DemoError(LauncherError):
    """The API did not take the first comparison."""


def submit_first(api_url: str, headers: Mapping[str, str]) -> str | None:
    """Submit the demo preset if there is no comparison yet; blocks.

    Args:
        api_url: where the API is.
        headers: of each call; where there is a sign-in, those that let the launcher in.

    Returns:
        The new comparison's id, or None where comparisons exist already.

    Raises:
        DemoError: the API does not answer, or has no such preset, or refuses it.
    """
    base = f"{api_url}/api/v1"

    def ask(path: str, post: object = None) -> Any:
        return get_json(f"{base}{path}", post=post, wait_s=WAIT_S, headers=headers)

    try:
        if ask("/comparisons?page_size=1")["total"]:
            return None
        presets: list[dict[str, Any]] = ask("/catalogue")["presets"]
        spec = next(preset["spec"] for preset in presets if preset["id"] == PRESET)
        return str(ask("/comparisons", spec)["id"])
    except (OSError, ValueError, KeyError, StopIteration) as error:
        raise DemoError(f"the first comparison was not submitted: {error!r}") from error


def page_of(ui_url: str, comparison: str | None) -> str:
    """The address to open: the comparison's page, or the dashboard."""
    return ui_url if comparison is None else f"{ui_url}/comparison?id={comparison}"


def open_page(url: str) -> None:
    """Open the browser where there is a screen; blocks."""
    if has_display():
        webbrowser.open(url)
