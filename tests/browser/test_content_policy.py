"""What the pages may load, and who may load them, in a real Chromium and by raw requests."""

import socket
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.support.raw_http import HANDSHAKE, send
from tests.support.specs import small
from tests.support.stack import Stack

pytestmark = pytest.mark.slow

RECORD = """
window.refusedByPolicy = [];
document.addEventListener("securitypolicyviolation", (event) =>
    window.refusedByPolicy.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
MEASURE = {"snapshot_every": 2, "snapshot_size": 60}
TABS = ("geometry", "retrieval", "space", "verdict", "setup")
TRY_ALL = """async () => {
    const asked = ["/", "/api/v1/comparisons", "/_stcore/health"].map((path) => fetch(path));
    const posted = fetch("/api/v1/comparisons", {method: "POST", body: "{}"});
    const answers = await Promise.all([...asked, posted]);
    return answers.map((answer) => answer.status);
}"""
OPEN_SOCKET = """async () => new Promise((resolve) => {
    const socket = new WebSocket(`ws://${location.host}/_stcore/stream`, ["streamlit"]);
    socket.onopen = () => resolve("open");
    socket.onclose = () => resolve("refused");
})"""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[socket.socket]:
    """A server of pictures that is not ours; it waits for its first caller."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.fixture(scope="module")
def comparison(stack: Stack, elsewhere: socket.socket) -> str:
    """A finished comparison with all that a page shows, and a picture from elsewhere."""
    port = elsewhere.getsockname()[1]
    made = stack.submit(
        small(
            name="of one's own",
            notes=f"a picture: ![of me](http://pictures.example:{port}/me.png)",
            training={"epochs": 2, "batch_size": 64},
            measure=MEASURE,
            arms=[{"name": kind, "loss": {"kind": kind}} for kind in ("contrastive", "triplet")],
        )
    )
    stack.wait_ended(made)
    return made


@pytest.fixture
def refusals(page: Page) -> list[str]:
    """What the policy refused on the page, as the browser's console tells it."""
    told: list[str] = []
    page.on(
        "console",
        lambda said: told.append(said.text) if "Content Security Policy" in said.text else None,
    )
    page.add_init_script(RECORD)
    return told


def walk(stack: Stack, page: Page, refusals: list[str], views: Iterable[str]) -> None:
    """Open each view, wait until it is drawn, and check that the policy refused nothing."""
    for view in views:
        page.goto(f"{stack.ui_url}/{view}")
        expect(page.get_by_test_id("stApp")).to_be_visible()
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("refusedByPolicy") == [], view
        assert refusals == [], view


def test_no_page_asks_for_what_its_policy_refuses(
    stack: Stack, page: Page, refusals: list[str]
) -> None:
    walk(stack, page, refusals, ["", "new?preset=digits", "datasets", "queue", "method"])


def test_no_page_about_results_asks_for_what_its_policy_refuses(
    stack: Stack, page: Page, refusals: list[str], comparison: str
) -> None:
    plain = stack.submit(small(name="plain", seeds=[1], measure=MEASURE))
    stack.wait_ended(plain)
    views = [
        f"comparison?id={plain}",
        *(f"comparison?id={plain}&tab={tab}" for tab in TABS),
        f"compare?arm={plain}~triplet&arm={comparison}~contrastive",
    ]
    walk(stack, page, refusals, views)


def test_a_picture_in_notes_calls_nobody(
    stack: Stack,
    page: Page,
    refusals: list[str],
    comparison: str,
    elsewhere: socket.socket,
) -> None:
    page.goto(f"{stack.ui_url}/comparison?id={comparison}&tab=setup")
    page.get_by_role("img", name="of me").first.wait_for(state="attached")
    page.wait_for_function("refusedByPolicy.length > 0")
    [refused] = set(page.evaluate("refusedByPolicy"))
    assert refused.startswith("img-src http://pictures.example:")
    assert refusals
    with pytest.raises(BlockingIOError):  # nobody has called
        elsewhere.accept()


def test_a_page_whose_name_was_rebound_reads_nothing(stack: Stack, page: Page) -> None:
    port = urlsplit(stack.ui_url).port
    answer = page.goto(f"http://evil.example:{port}/")  # resolves to 127.0.0.1
    assert answer is not None
    assert answer.status == 421
    assert "does not answer to the name 'evil.example'" in answer.text()
    assert page.evaluate(TRY_ALL) == [421] * 4, "scripts of that page are of the same origin"
    assert page.evaluate(OPEN_SOCKET) == "refused"


def test_the_socket_of_the_pages_is_refused_before_it_is_accepted(stack: Stack) -> None:
    url = f"{stack.ui_url}/_stcore/stream"
    host = urlsplit(stack.ui_url).netloc
    for headers, status in (
        ([("Host", host), ("Origin", stack.ui_url)], 101),
        ([("Host", "localhost"), ("Origin", "http://localhost")], 101),
        ([("Host", "evil.example"), ("Origin", "http://evil.example")], 421),
        ([("Host", host), ("Origin", "http://localhost:3000")], 403),
        ([("Host", host), ("Origin", "http://[")], 400),
        ([("Origin", stack.ui_url)], 400),
    ):
        answer = send(url, [*headers, *HANDSHAKE])
        assert answer.status == status, headers
        assert status == 101 or "content-security-policy" in answer.headers
    assert send(stack.api_url, [("Host", "evil.example"), *HANDSHAKE]).status == 421
    assert "[ui] ASGI" not in stack.log.read_text()


def test_streamlit_tells_strangers_nothing_about_the_server(stack: Stack) -> None:
    host = ("Host", urlsplit(stack.ui_url).netloc)
    for path in ("metrics", "script-health-check", "agent/openapi.json", "agent/mcp"):
        answer = send(f"{stack.ui_url}/_stcore/{path}", [host])
        assert answer.status == 404
        assert "content-security-policy" in answer.headers
    for path, status in (("_stcore/health", 200), ("_stcore/host-config", 200), ("x/../../e", 400)):
        answer = send(f"{stack.ui_url}/{path}", [host])
        assert answer.status == status
        assert "content-security-policy" in answer.headers
