"""The empty frame of all pages: Streamlit's, with our script in front.

The script tells Streamlit under which address its server is, so that it need not try, and says in
plain words when the pages' websocket is blocked.
"""

from html import escape
from pathlib import Path
from typing import Final

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.file_util import get_static_dir

from frontend.server.middleware import is_page

_HEAD: Final = "<head>"
_SCRIPT: Final = Path(__file__).with_name("connection.js")


class IndexPageMiddleware:
    """ASGI middleware: answers for each page that a browser opens.

    A path with a slash at its end is passed on: Streamlit redirects it to the one without.
    """

    def __init__(self, app: ASGIApp, base_path: str) -> None:
        """Read the frame once.

        Raises:
            OSError, ValueError: the installed Streamlit has no such frame.
        """
        self._app = app
        self._base_path = base_path
        frame = (Path(get_static_dir()) / "index.html").read_text(encoding="utf-8")
        self._before, head, self._after = frame.partition(_HEAD)
        if not head:
            raise ValueError(f"Streamlit's index.html has no {_HEAD}")
        self._before += head
        if base_path:  # relative ones miss it where a page is opened without a slash at its end
            self._after = self._after.replace('="./', f'="{base_path}/')
        self._after = f"<script>{_SCRIPT.read_text(encoding='utf-8')}</script>{self._after}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for a page, or pass the request on."""
        if scope["type"] != "http" or not is_page(scope) or scope["path"][1:].endswith("/"):
            await self._app(scope, receive, send)
            return
        raw = scope.get("raw_path") or scope["path"].encode()
        seen = escape(raw.partition(b"?")[0].decode("latin-1"), quote=True)
        told = f'<meta name="lossboard" data-base-path="{self._base_path}" data-path="{seen}">'
        page = HTMLResponse(f"{self._before}{told}{self._after}")
        page.headers["Cache-Control"] = "no-cache"
        await page(scope, receive, send)
