"""Log lines as JSON."""

import json

import pytest

from launcher.console import OptionsError, line_printer, print_json_line


def printed_object(capsys: pytest.CaptureFixture[str], line: str) -> dict[str, object]:
    print_json_line(line)
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_json_keeps_the_fields_of_a_process_and_wraps_other_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = '{"level": "ERROR", "message": "no", "run": "r1"}'
    assert printed_object(capsys, f"[api] {line}") == {**json.loads(line), "process": "api"}
    for text in ("Ready to accept connections", "[1, 2]", "3", "{", "[x] y"):
        found = printed_object(capsys, f"[broker] {text}")
        assert (found["message"], found["logger"], found["process"]) == (text, "broker", "broker")
        assert {"time", "level"} < set(found)
    assert printed_object(capsys, "api ended")["process"] == "launcher"


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(OptionsError, match="'xml'; known are text, json"):
        line_printer({"LOSSBOARD_LOG_FORMAT": "xml"})
