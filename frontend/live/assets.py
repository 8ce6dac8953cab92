"""The files that the live component loads in the browser, at addresses that name their content."""

import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Final

from starlette.responses import FileResponse, Response
from starlette.routing import Route

FOLDER: Final = Path(__file__).parent
PREFIX: Final = "/lossboard"
_FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True)
class Assets:
    """The component's own modules, its style, and the Plotly that the installed package brings."""

    modules: dict[str, Path]
    plotly: Path
    digest: str
    """Changes with every module, so that a cached copy is never mixed with a newer one."""
    plotly_version: str

    @classmethod
    def load(cls) -> "Assets":
        """Find the files as installed."""
        modules = {path.name: path for path in sorted((FOLDER / "js").glob("*.js"))}
        content = hashlib.sha256()
        for name, path in modules.items():
            content.update(name.encode() + b"\0" + path.read_bytes())
        plotly = Path(str(files("plotly"))) / "package_data" / "plotly.min.js"
        return cls(modules, plotly, content.hexdigest()[:12], version("plotly"))

    @property
    def main_url(self) -> str:
        """Path of the module that the component imports; it imports its siblings."""
        return f"{PREFIX}/{self.digest}/main.js"

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
            *(serve(f"{PREFIX}/{self.digest}/{name}", path) for name, path in self.modules.items()),
        ]
