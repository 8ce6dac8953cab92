"""The names under which the API answers: a page of a rebound name reads and changes nothing."""

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from backend.http import hosts
from backend.http.hosts import AcceptedHosts, host_name, parse_host_names
from backend.settings import Settings
from tests.backend.conftest import Serve
from tests.backend.helpers import TOKEN, Api
from tests.backend.token_users import TOKENS, with_tokens
from tests.support.raw_http import Answer, send
from tests.support.specs import small

FOREIGN = "evil.example:8500"


def call(api: Api, path: str, *headers: tuple[str, str], **sent: str) -> Answer:
    return send(f"{str(api.http.base_url).rstrip('/')}{path}", headers, **sent)


def test_a_page_of_a_rebound_name_reads_and_changes_nothing(api: Api) -> None:
    own = api.submit()
    page = ("Host", FOREIGN), ("Origin", f"http://{FOREIGN}")
    answers = [
        call(api, "/api/v1/comparisons", ("Host", FOREIGN)),
        call(api, "/api/v1/comparisons", *page, method="POST", body=json.dumps(small())),
        call(api, f"/api/v1/comparisons/{own}", *page, method="PATCH", body='{"name": "x"}'),
        call(api, f"/api/v1/comparisons/{own}/live", ("Host", FOREIGN)),
        call(api, "/api/v1/health/live", ("Host", FOREIGN)),
        call(api, "/openapi.json", ("Host", FOREIGN)),
        call(api, "/api/v1/internal/claim", *page, method="POST", body="{}"),
    ]
    for answer in answers:
        assert answer.status == 421
        found = json.loads(answer.text)
        assert (found["error"], found["fields"]) == ("misdirected_request", [])
        assert "'evil.example'" in found["message"]
        assert "LOSSBOARD_ALLOWED_HOSTS" in found["message"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert api.get("/comparisons")["total"] == 1
    assert api.get(f"/comparisons/{own}")["name"] != "x"


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.0.0.1:1", "10.0.0.7:8500", "[::1]", "[::1]:8500", "[fe80::1]"),
        *("localhost", "LOCALHOST:8500", "localhost.", socket.gethostname()),
    ],
)
def test_addresses_and_own_names_are_answered(api: Api, host: str) -> None:
    assert call(api, "/api/v1/me", ("Host", host)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Host", "")],
        [("Host", "127.0.0.1"), ("Host", "evil.example")],
        *(
            [("Host", host)]
            for host in ("a b", "http://x", "[::1", "[zz]", "x:y", "x/y", "ü", "::1")
        ),
        [("Host", "127.0.0.1"), ("Origin", "http://[")],
        [("Host", "127.0.0.1"), ("Origin", "http://[x]:y")],
    ],
)
def test_a_malformed_host_or_origin_is_a_bad_request(
    api: Api, headers: list[tuple[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    for method in ("GET", "POST"):
        answer = call(api, "/api/v1/comparisons", *headers, method=method)
        assert answer.status == 400
        if answer.text.startswith("{"):  # what is no HTTP at all is refused by the server itself
            assert json.loads(answer.text)["error"] == "bad_request"
            assert "content-security-policy" in answer.headers
    assert [record for record in caplog.records if record.exc_info] == []


def test_workers_reach_the_api_under_any_name(api: Api) -> None:
    body = json.dumps({"worker": "w1", "device": "cpu"})
    sent = ("Host", FOREIGN), ("Authorization", f"Bearer {TOKEN}")
    answer = call(api, "/api/v1/internal/claim", *sent, method="POST", body=body)
    assert answer.status not in {400, 401, 421}
    assert call(api, "/api/v1/comparisons", *sent).status == 421
    wrong = ("Host", FOREIGN), ("Authorization", f"Bearer {TOKEN}x")
    assert call(api, "/api/v1/internal/claim", *wrong, method="POST", body=body).status == 421


def test_with_tokens_names_are_demanded_only_where_they_are_set(
    serve: Serve, settings: Settings
) -> None:
    signed_in = ("Authorization", f"Bearer {TOKENS['viewer']}")
    with serve(with_tokens(settings)) as (api, _):
        assert call(api, "/api/v1/me", ("Host", FOREIGN), signed_in).status == 200
        assert call(api, "/api/v1/me", ("Host", "a b"), signed_in).status == 400
    named = replace(with_tokens(settings), allowed_hosts=parse_host_names("api, Board.Example.org"))
    with serve(named) as (api, _):
        for host, status in (("board.example.org", 200), ("api:8500", 200), (FOREIGN, 421)):
            assert call(api, "/api/v1/me", ("Host", host), signed_in).status == status


def test_a_name_of_the_setting_and_the_one_listened_on_are_answered(
    serve: Serve, settings: Settings
) -> None:
    named = replace(settings, allowed_hosts=parse_host_names("api"), host="Board.lan")
    with serve(named) as (api, _):
        for host, status in (("api", 200), ("board.lan:1", 200), ("board.lan.evil", 421)):
            assert call(api, "/api/v1/me", ("Host", host)).status == status


def test_names_from_the_hosts_file_belong_to_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "hosts"
    file.write_text("127.0.0.1 localhost\n127.0.1.1 Box.lan.example box # evil.example\n")
    monkeypatch.setattr(hosts, "HOSTS_FILE", file)
    monkeypatch.setattr(socket, "gethostname", lambda: "box")
    assert hosts.machine_names.__wrapped__() == {"box", "box.lan.example"}
    monkeypatch.setattr(hosts, "HOSTS_FILE", tmp_path / "none")
    monkeypatch.setattr(socket, "gethostname", lambda: "Box.lan.example")
    assert hosts.machine_names.__wrapped__() == {"box", "box.lan.example"}


def test_names_that_only_look_like_an_accepted_one_are_foreign() -> None:
    accepted = AcceptedHosts.create(["api"], "127.0.0.1")
    for host in ("localhost.evil.example", "127.0.0.1.evil.example", "xlocalhost", "2130706433"):
        name = host_name(host)
        assert name is not None
        assert not accepted.accept(name)


@pytest.mark.parametrize("names", ["http://board", "board:80", "a b", "*", "board/x"])
def test_a_setting_that_is_no_name_is_refused(names: str) -> None:
    with pytest.raises(ValueError, match="not a host name"):
        parse_host_names(f"api,{names}")
    assert parse_host_names(" api ,,B.example. ") == {"api", "b.example"}
