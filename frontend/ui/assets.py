"""The files that the components load in the browser, at addresses that name their content."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Final

from starlette.responses import FileResponse, Response
from starlette.routing import Route

FOLDER: Final = Path(__file__).parents[1] / "live"
PARTS: Final = ("live", "space")
"""Folders beside one another that have a `js`; their modules may import one another's."""
PREFIX: Final = "/lossboard"
_FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True)
class Assets:
    """The components' own modules, and the Plotly that the installed package brings."""

    modules: dict[str, Path]
    """By their path below `frontend`, so that a relative import means the same file here as in
    the browser."""
    plotly: Path
    digest: str
    """Changes with every module, so that a cached copy is never mixed with a newer one."""
    plotly_version: str

    @classmethod
    @cache
    def load(cls) -> "Assets":
        """Find the files as installed; once a process, so that what pages ask for is served."""
        modules = {
            f"{part}/js/{path.name}": path
            for part in PARTS
            for path in sorted((FOLDER.parent / part / "js").glob("*.js"))
        }
        content = hashlib.sha256()
        for name, path in modules.items():
            content.update(name.encode() + b"\0" + path.read_bytes())
        plotly = Path(str(files("plotly"))) / "package_data" / "plotly.min.js"
        return cls(modules, plotly, content.hexdigest()[:12], version("plotly"))

    @property
    def main_url(self) -> str:
        """Path of the module that the live component imports; it imports its siblings."""
        return self.module_url("main.js")

    def module_url(self, name: str, part: str = "live") -> str:
        """Path of a module by its file's name and its folder, one of PARTS."""
        return self._address(f"{part}/js/{name}")

    @property
    def plotly_url(self) -> str:
        """Path of Plotly."""
        return f"{PREFIX}/plotly-{self.plotly_version}.min.js"

    def routes(self) -> list[Route]:
        """Routes that serve each file at its one address, cacheable for ever."""

        def serve(address: str, path: Path) -> Route:
            async def answer(_request: object) -> Response:
                return FileResponse(path, media_type="text/javascript", headers=_FOREVER)

            return Route(address, answer)

        return [
            serve(self.plotly_url, self.plotly),
            *(serve(self._address(name), path) for name, path in self.modules.items()),
        ]

    def _address(self, name: str) -> str:
        return f"{PREFIX}/{self.digest}/{name}"
