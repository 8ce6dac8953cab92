"""Where a plug-in lies: what a slot tells its trainer, which then imports only that one."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class PluginRef(BaseModel):
    """One plug-in, as its slot has found it."""

    model_config = ConfigDict(frozen=True)

    source: Literal["pml", "entry_points", "file"]
    where: str
    """Name of the class, name of the entry point, or the file's path."""
    name: str
    """By which specs name it."""
    digest: str
    """Of its code when it was checked."""
