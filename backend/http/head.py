"""HEAD requests: answered as GET is, with the same status and headers and without the body."""

from http import HTTPMethod

import anyio
from anyio.lowlevel import checkpoint
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """ASGI middleware: what lies inside sees a GET, so rules and limits of GETs hold for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as a GET; of its answer only the head is sent.

        An answer that comes in pieces is given up after its head: a stream of events has no end.
        """
        if scope["type"] != "http" or scope["method"] != HTTPMethod.HEAD:
            await self._app(scope, receive, send)
            return
        ended = False

        async def send_head(message: Message) -> None:
            nonlocal ended
            in_pieces = message.get("more_body", False)
            if message["type"] == "http.response.start":
                await send(message)
                in_pieces = all(name.lower() != b"content-length" for name, _ in message["headers"])
                if not in_pieces:
                    return  # its only body, if it has one, follows
            if not ended:
                ended = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            if in_pieces:
                rest.cancel()
                await checkpoint()  # raises the cancellation in the app

        with anyio.CancelScope() as rest:
            await self._app({**scope, "method": HTTPMethod.GET.value}, receive, send_head)
