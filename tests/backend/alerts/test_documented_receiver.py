"""The receiver of docs/ALERTS.md runs, and takes what the API sends; the page names every type."""

import re
import subprocess
import sys
import time
from pathlib import Path

from backend.alerts.events import TYPES
from backend.alerts.posting import Outcome, Poster
from backend.alerts.repository import MAX_TRIES
from backend.alerts.signature import create_secret, signed_headers
from backend.http.outgoing_hosts import OutgoingHosts
from tests.support.ports import free_ports
from tests.support.waiting import until

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "ALERTS.md").read_text()
BODY = '{"type": "test", "text": "“digits” has ended"}'.encode()


def test_the_page_names_every_type_and_the_tries() -> None:
    assert set(re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", PAGE, re.MULTILINE)) == set(TYPES)
    assert f"after {MAX_TRIES} tries" in PAGE


def test_the_receiver_of_the_page_checks_signatures_and_drops_doubles() -> None:
    [program] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    [port] = free_ports(1)
    secret = create_secret()
    sender = Poster(OutgoingHosts.parse(f"private:127.0.0.1:{port}"))

    def post(key: str, message: str, at: int) -> int | None:
        headers = signed_headers(key, message, at, BODY)
        found: Outcome = sender.post(f"http://127.0.0.1:{port}/", BODY, headers)
        return found.status

    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env={"WEBHOOK_SECRET": secret, "PORT": str(port), "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    try:
        now = int(time.time())
        until(lambda: post(secret, "msg_1", now) == 204, "the receiver")
        assert post(secret, "msg_1", now) == 204
        assert post(create_secret(), "msg_2", now) == 401
        assert post(secret, "msg_3", now - 3600) == 401
        assert post(secret, "msg_4", now) == 204
    finally:
        process.terminate()
        printed, _ = process.communicate()
    assert printed.splitlines() == 2 * ["“digits” has ended"]
