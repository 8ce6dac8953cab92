"""The JavaScript files that the components load in the browser, at addresses with a digest."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Final

from starlette.responses import FileResponse, Response
from starlette.routing import Route

from frontend.settings import Settings

LIVE_FOLDER: Final = Path(__file__).parents[1] / "live"
COMPONENTS: Final = ("live", "pictures", "space")
"""Folders of `frontend` with a `js` folder; their modules may import those of the other folders."""
FONTS_FOLDER: Final = Path(__file__).parents[1] / "pictures" / "fonts"
"""The letters of saved pictures, which are measured in the browser and drawn on the server."""
SAVE_STYLE: Final = FONTS_FOLDER.parent / "save.css"
"""The style of the button that saves a chart, and of what it opens."""
PREFIX: Final = "/lossboard-js"
_FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True)
class Assets:
    """The components' JavaScript modules, and the Plotly of the installed package."""

    modules: dict[str, Path]
    """Modules by their path below `frontend`, so that a relative import means the same file here
    and in the browser."""
    fonts: dict[str, Path]
    """Font files by their path below `frontend`."""
    plotly: Path
    digest: str
    """Digest of all modules and fonts, so that a cached module is never mixed with a newer one."""
    plotly_version: str
    base_path: str = ""
    """The path under which browsers reach the server, before the addresses in pages."""

    @classmethod
    @cache
    def load(cls) -> "Assets":
        """Find the installed files, once a process: the addresses in pages stay those served."""
        modules = {
            f"{part}/js/{path.name}": path
            for part in COMPONENTS
            for path in sorted((LIVE_FOLDER.parent / part / "js").glob("*.js"))
        }
        fonts = {f"pictures/fonts/{path.name}": path for path in sorted(FONTS_FOLDER.glob("*.ttf"))}
        content = hashlib.sha256()
        for name, path in {**modules, **fonts}.items():
            content.update(name.encode() + b"\0" + path.read_bytes())
        plotly = Path(str(files("plotly"))) / "package_data" / "plotly.min.js"
        base_path = Settings.from_environment().base_path
        return cls(modules, fonts, plotly, content.hexdigest()[:12], version("plotly"), base_path)

    @property
    def main_url(self) -> str:
        """URL path of the live component's main module, which imports the others."""
        return self.module_url("main.js")

    def module_url(self, name: str, part: str = "live") -> str:
        """Return the URL path of a module by its file name and its folder, one of COMPONENTS."""
        return self.base_path + self._address(f"{part}/js/{name}")

    @property
    def plotly_url(self) -> str:
        """URL path of Plotly."""
        return self.base_path + self._plotly_address

    @property
    def _plotly_address(self) -> str:
        return f"{PREFIX}/plotly-{self.plotly_version}.min.js"

    def routes(self) -> list[Route]:
        """Return the routes that serve each file at its address; browsers may cache it for ever."""

        def serve(address: str, path: Path, media_type: str = "text/javascript") -> Route:
            async def answer(_request: object) -> Response:
                return FileResponse(path, media_type=media_type, headers=_FOREVER)

            return Route(address, answer)

        return [
            serve(self._plotly_address, self.plotly),
            *(serve(self._address(name), path) for name, path in self.modules.items()),
            *(serve(self._address(name), path, "font/ttf") for name, path in self.fonts.items()),
        ]

    def _address(self, name: str) -> str:
        return f"{PREFIX}/{self.digest}/{name}"
