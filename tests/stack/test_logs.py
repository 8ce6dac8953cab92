"""Every line of a product that logs JSON is an object; those about an attempt name it."""

import json
from pathlib import Path

import pytest

from tests.support.specs import small
from tests.support.stack import Json, running_stack


@pytest.mark.slow
def test_every_line_is_an_object(tmp_path: Path) -> None:
    with running_stack(
        tmp_path / "data", "--no-demo", "--workers", "1", LOSSBOARD_LOG_FORMAT="json"
    ) as stack:
        comparison = stack.submit(small(training={"epochs": 30, "batch_size": 64}))
        stack.wait_steps(comparison, 50)
        stack.kill("trainer")
        [run] = stack.wait_ended(comparison)
        assert run["state"] == "succeeded"
        assert run["attempt"] >= 2, "a busy machine may lose one more"
        stack.kill("broker")  # the libraries' own words too: Celery's, when it is away
        [other] = stack.wait_ended(stack.submit(small()))
        assert other["state"] == "succeeded"
    lines: list[Json] = [json.loads(line) for line in stack.log.read_text().splitlines()]
    for line in lines:
        assert {"time", "level", "logger", "message", "process"} <= set(line), line
    processes = {line["process"] for line in lines}
    assert {"launcher", "api", "w1"} <= processes

    def log_lines(process: str, attempt: int) -> list[str]:
        whose = {"process": process, "run": run["id"], "attempt": attempt}
        return [line["message"] for line in lines if whose.items() <= line.items()]

    assert any("claimed by" in message for message in log_lines("api", 1))
    assert any("lost: the trainer ended" in message for message in log_lines("api", 1))
    assert any("killed by SIGKILL" in message for message in log_lines("w1", 1))
    assert log_lines("api", run["attempt"])[-1] == "succeeded"
    assert any(line["logger"].startswith("celery") for line in lines)
