"""The UI's server without Streamlit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from frontend.pictures.routes import Pictures
from frontend.server.body_time import BodyTimeout
from frontend.server.forwarded import Proxies
from frontend.server.headers import on_unexpected_error
from frontend.server.hosts import AcceptedHosts
from frontend.server.middleware import SignInMiddleware, outer_middleware
from frontend.server.proxy import Proxy
from frontend.server.sessions import ApiAuth, Sessions
from frontend.server.signin import Attempts, SignIn


class Front:
    """The UI's server without Streamlit, which has one page."""

    def __init__(
        self, api_url: str, *allowed_hosts: str, proxies: str = "", ui_secret: str = ""
    ) -> None:
        self.now = 0.0
        self.proxies = Proxies.parse(proxies)
        self.hosts = AcceptedHosts.create(allowed_hosts, "")
        self.sessions = Sessions(lambda: self.now)
        self.client = httpx.AsyncClient(trust_env=False)
        self.auth = ApiAuth(self.client, api_url, lambda: self.now, ui_secret=ui_secret)
        self.proxy = Proxy(self.client, api_url, self.sessions, ui_secret=ui_secret)
        self.pictures = Pictures(self.sessions)
        self.sign_in = SignIn(self.auth, self.sessions, Attempts(lambda: self.now))

    def app(self) -> Starlette:
        @asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            async with self.client:
                yield

        async def page(request: Request) -> Response:
            if request.url.path == "/broken":
                raise RuntimeError("a page that fails")
            return PlainTextResponse(f"the page {request.url.path}")

        routes = [
            self.proxy.route(),
            self.pictures.route(),
            *self.sign_in.routes(),
            Route("/{path:path}", page),
        ]
        return Starlette(
            routes=routes,
            middleware=[
                *outer_middleware(self.proxies, self.hosts, self.auth),
                Middleware(BodyTimeout),
                Middleware(SignInMiddleware, auth=self.auth, sessions=self.sessions),
            ],
            exception_handlers={Exception: on_unexpected_error},
            lifespan=lifespan,
        )
