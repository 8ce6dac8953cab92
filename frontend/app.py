"""The UI's ASGI application: `python -m streamlit run frontend/app.py`.

It serves Streamlit's pages (main.py), the API under /api/v1, the sign-in where the API has tokens,
and the components' JavaScript files, so that a browser needs only this one address.
"""

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import streamlit as st
from starlette.middleware import Middleware

from frontend.pictures.routes import Pictures
from frontend.server.base_path import BasePathMiddleware
from frontend.server.body_time import BodyTimeout
from frontend.server.forwarded import Proxies
from frontend.server.headers import on_unexpected_error
from frontend.server.hosts import AcceptedHosts, NoHandshake
from frontend.server.index_page import IndexPageMiddleware
from frontend.server.middleware import SignInMiddleware, outer_middleware
from frontend.server.proxy import Proxy
from frontend.server.sessions import ApiAuth, sessions
from frontend.server.signin import Attempts, SignIn
from frontend.settings import Settings
from frontend.ui.assets import Assets

_CLIENT = httpx.AsyncClient(
    limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
    trust_env=False,
)
_SETTINGS = Settings.from_environment()
_SECRET = _SETTINGS.ui_secret
_PROXY = Proxy(_CLIENT, _SETTINGS.api_url, sessions(), ui_secret=_SECRET)
_AUTH = ApiAuth(_CLIENT, _SETTINGS.api_url, ui_secret=_SECRET)
_PROXIES = Proxies.parse(_SETTINGS.trusted_proxies)
_HOSTS = AcceptedHosts.create(_SETTINGS.allowed_hosts, _SETTINGS.host)
_PICTURES = Pictures(sessions())
_SIGN_IN = SignIn(_AUTH, sessions(), Attempts())


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any] | None]:
    """Close the viewers' streams on a signal to stop: the server would wait for them to end."""
    loop = asyncio.get_running_loop()
    server_handler = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(_PROXY.close)
        if callable(server_handler):
            server_handler(number, frame)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
    logging.getLogger("uvicorn.error").addFilter(NoHandshake())
    async with _CLIENT:
        yield None


app = st.App(
    Path(__file__).with_name("main.py"),
    lifespan=lifespan,
    routes=[_PROXY.route(), _PICTURES.route(), *_SIGN_IN.routes(), *Assets.load().routes()],
    middleware=[
        *outer_middleware(_PROXIES, _HOSTS, _AUTH),
        Middleware(BasePathMiddleware, base_path=_SETTINGS.base_path),
        Middleware(BodyTimeout),
        Middleware(SignInMiddleware, auth=_AUTH, sessions=sessions()),
        Middleware(IndexPageMiddleware, base_path=_SETTINGS.base_path),
    ],
    exception_handlers={Exception: on_unexpected_error},
)
