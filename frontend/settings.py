"""The settings of the UI's process, read from its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Settings of the UI; read once, where the process starts."""

    api_url: str = "http://127.0.0.1:8500"
    """LOSSBOARD_API_URL: the address at which the UI's server reaches the API, without a path.
    Browsers do not use it: they call the UI's own address."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings; a variable that is absent or empty keeps its default."""
        return cls(api_url=(environ.get("LOSSBOARD_API_URL") or cls.api_url).rstrip("/"))
