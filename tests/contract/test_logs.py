import io
import json
import logging
from collections.abc import Iterator

import pytest

from contract import logs


@pytest.fixture
def lines() -> Iterator[tuple[logging.Logger, io.StringIO, logging.Handler]]:
    sink = io.StringIO()
    handler = logging.StreamHandler(sink)
    logger = logging.getLogger("lossboard.test")
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, sink, handler
    logger.removeHandler(handler)


Lines = tuple[logging.Logger, io.StringIO, logging.Handler]


def test_json_is_one_object_a_line_with_run_attempt_and_traceback(lines: Lines) -> None:
    logger, sink, handler = lines
    handler.setFormatter(logs.JsonFormatter())
    logger.warning('"%s"\nand more', "ü", extra=logs.attempt_fields("r1", 2))
    try:
        raise ValueError("no\nroom")
    except ValueError:
        logger.exception("failed")
    first, second = map(json.loads, sink.getvalue().splitlines())
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "WARNING",
        "logger": "lossboard.test",
        "message": '"ü"\nand more',
        "run": "r1",
        "attempt": 2,
    }
    assert "run" not in second
    assert second["error"].endswith("ValueError: no\nroom")


def test_text_names_run_and_attempt_if_there_are_any(lines: Lines) -> None:
    logger, sink, handler = lines
    handler.setFormatter(logs.TextFormatter())
    logger.warning("gone", extra=logs.attempt_fields("r1", 2))
    logger.warning("all well")
    first, second = sink.getvalue().splitlines()
    assert first.endswith("WARNING lossboard.test: run r1 attempt 2: gone")
    assert second.endswith("WARNING lossboard.test: all well")
