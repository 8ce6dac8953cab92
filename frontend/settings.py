"""The settings of the UI's process, read from its environment."""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


class SettingsError(Exception):
    """A setting is wrong: the UI cannot start."""


@dataclass(frozen=True)
class Settings:
    """Settings of the UI; read once, where the process starts."""

    api_url: str = "http://127.0.0.1:8500"
    """LOSSBOARD_API_URL: the address at which the UI's server reaches the API, without /api/v1.
    Browsers do not use it: they call the UI's own address."""
    base_path: str = ""
    """LOSSBOARD_BASE_PATH: the path under which browsers reach the UI, such as /lossboard; empty
    where a proxy adds none."""

    allowed_hosts: tuple[str, ...] = ()
    """LOSSBOARD_ALLOWED_HOSTS: names under which the UI answers, besides IP addresses and this
    machine's names."""
    host: str = ""
    """LOSSBOARD_HOST: what the launcher's --host names; empty if the UI was started otherwise."""
    trusted_proxies: str = ""
    """LOSSBOARD_TRUSTED_PROXIES: proxies whose word on a visitor's address is taken."""
    ui_secret: str = field(default="", repr=False)
    """LOSSBOARD_UI_SECRET: by which the API believes what this server says of a visitor."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings; a variable that is absent or empty keeps its default.

        Raises:
            SettingsError: a value is wrong; its text has a line for each.
        """
        problems = []
        api_url = (environ.get("LOSSBOARD_API_URL") or cls.api_url).rstrip("/")
        if not api_url.startswith(("http://", "https://")):
            problems.append(
                f"LOSSBOARD_API_URL is {api_url!r}; it must begin with http:// or https://"
            )
        base_path = environ.get(BASE_PATH_VARIABLE, "")
        try:
            checked_base_path(base_path)
        except SettingsError as error:
            problems.append(str(error))
        if problems:
            raise SettingsError("\n".join(problems))
        names = environ.get("LOSSBOARD_ALLOWED_HOSTS", "").split(",")
        return cls(
            api_url=api_url,
            allowed_hosts=tuple(filter(None, map(str.strip, names))),
            host=environ.get("LOSSBOARD_HOST", ""),
            trusted_proxies=environ.get("LOSSBOARD_TRUSTED_PROXIES", ""),
            ui_secret=environ.get("LOSSBOARD_UI_SECRET", ""),
            base_path=base_path,
        )


BASE_PATH_VARIABLE: Final = "LOSSBOARD_BASE_PATH"
_BASE_PATH: Final = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
OWN_NAMES: Final = frozenset(
    {
        *(
            "_stcore",
            "api",
            "app",
            "assets",
            "component",
            "docs",
            "lossboard-js",
            "media",
            "alerts",
            "pictures",
        ),
        *("openapi.json", "signin", "signout", "static"),
        *(
            "access",
            "compare",
            "comparison",
            "comparisons",
            "datasets",
            "method",
            "new",
            "queue",
            "trail",
        ),
    }
)
"""First parts of our own addresses. A base path that begins with one could not be told from them
where the proxy removes it."""


def checked_base_path(text: str) -> str:
    """Return the base path if it is one, or empty.

    Raises:
        SettingsError: it is none; the text names the variable and says what to write.
    """
    if text and not _BASE_PATH.fullmatch(text):
        raise SettingsError(
            f"{BASE_PATH_VARIABLE} is {text!r}; it must be a path like /lossboard: a slash first, "
            "none at the end, and letters, digits, '.', '_', '~' or '-' between"
        )
    if text.split("/")[1:2] and text.split("/")[1] in OWN_NAMES:
        raise SettingsError(
            f"{BASE_PATH_VARIABLE} is {text!r}; /{text.split('/')[1]} is an address of Lossboard "
            "itself: choose another name"
        )
    return text


if __name__ == "__main__":  # the launcher asks, before it starts anything
    try:
        Settings.from_environment()
    except SettingsError as error:
        sys.exit(str(error))
