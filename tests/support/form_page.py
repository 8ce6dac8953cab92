"""The page of a new comparison as its tests open it, against a real API."""

from pathlib import Path
from typing import Any

import httpx
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from frontend.api.client import Api

MAIN = Path(__file__).resolve().parents[2] / "frontend" / "main.py"
PAGE = "app_pages/new_comparison.py"


def opened(client: httpx.Client | Api, **query: str) -> AppTest:
    """The page as a viewer finds it."""
    at = AppTest.from_file(MAIN, default_timeout=90)
    at.session_state["api"] = client if isinstance(client, Api) else Api(client)
    # `switch_page` takes the file's name for the address, until a run has registered the pages.
    at._page_hash = calc_hash("new")
    for name, value in query.items():
        at.query_params[name] = value
    return run(at)


def run(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception, at.exception
    return at


def press(at: AppTest, key: str) -> AppTest:
    at.button(key=key).click()
    return run(at)


def said(at: AppTest) -> str:
    """All that the page says outside its widgets."""
    html = [str(block.proto.body) for block in at.get("html")]
    texts = [block.value for block in [*at.markdown, *at.caption]]
    return "\n".join([*html, *texts])


def post(client: httpx.Client, spec: Any) -> str:
    answer = client.post("/api/v1/comparisons", json=spec)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def stored(client: httpx.Client) -> list[Any]:
    """The specs of all comparisons, newest first."""
    found = client.get("/api/v1/comparisons").json()["comparisons"]
    ids = [comparison["id"] for comparison in found]
    return [client.get(f"/api/v1/comparisons/{one}").json()["spec"] for one in ids]
