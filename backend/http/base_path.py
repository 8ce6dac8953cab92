"""The middleware for a proxy that serves the API under a path, such as /lossboard."""

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BasePathMiddleware:
    """ASGI middleware: takes the base path off requests and puts it before redirects.

    Both kinds of proxies work, those that remove the base path and those that leave it. The base
    path becomes the scope's root_path, which the OpenAPI document names.
    """

    def __init__(self, app: ASGIApp, base_path: str) -> None:
        """Create the middleware; an empty base path changes nothing."""
        self._app = app
        self._base_path = base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on without the base path."""
        if not self._base_path or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path.startswith(f"{self._base_path}/"):
            path = path[len(self._base_path) :]

        async def send_below(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if target := headers.get("location"):
                    parts = urlsplit(target)
                    query = f"?{parts.query}" if parts.query else ""
                    headers["location"] = f"{self._base_path}{parts.path}{query}"
            await send(message)

        below = {**scope, "path": path, "root_path": self._base_path}
        await self._app(below, receive, send_below)
