import json

import pytest

from launcher.console import OptionsError, chosen, say_json


def printed(capsys: pytest.CaptureFixture[str], line: str) -> dict[str, object]:
    say_json(line)
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_json_keeps_a_processs_fields_and_wraps_what_is_no_object(
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = '{"level": "ERROR", "message": "no", "run": "r1"}'
    assert printed(capsys, f"[api] {own}") == {**json.loads(own), "process": "api"}
    for text in ("Ready to accept connections", "[1, 2]", "3", "{", "[x] y"):
        found = printed(capsys, f"[broker] {text}")
        assert (found["message"], found["logger"], found["process"]) == (text, "broker", "broker")
        assert {"time", "level"} < set(found)
    assert printed(capsys, "api ended")["process"] == "launcher"


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(OptionsError, match="'xml'; known are text, json"):
        chosen({"LOSSBOARD_LOG_FORMAT": "xml"})
