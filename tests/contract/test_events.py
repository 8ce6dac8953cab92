"""Events survive encoding and decoding; everything else is refused."""

import json

import pytest
from pydantic import ValidationError

from contract.events import (
    Column,
    Ended,
    Event,
    Failure,
    Log,
    Lost,
    Points,
    Preparation,
    Preparing,
    Started,
    decode,
    encode,
)

EVENTS: list[Event] = [
    Preparing(
        run="r1",
        attempt=1,
        seq=1,
        preparation=Preparation(what="downloading a.gz", done=5, total=10, unit="bytes", eta_s=2.5),
    ),
    Started(run="r1", attempt=1, seq=1, device="cpu", total_steps=10, steps_per_epoch=5),
    Points(
        run="r1",
        attempt=1,
        seq=2,
        step=2,
        series=[Column(key="dynamics.loss", steps=[1, 2], values=[0.1, None])],
    ),
    Log(run="r1", attempt=1, seq=3, lines=["a", "b"]),
    Ended(run="r1", attempt=1, seq=4, state="failed", failure=Failure(message="NaN", step=2)),
    Lost(run="r1", attempt=1, reason="signal 9"),
]


def test_events_survive_encoding_and_decoding() -> None:
    assert [decode(encode(event)) for event in EVENTS] == EVENTS


@pytest.mark.parametrize("event", EVENTS)
def test_another_version_is_refused(event: Event) -> None:
    raw = json.loads(encode(event))
    with pytest.raises(ValidationError):
        decode(json.dumps({**raw, "v": 2}))


@pytest.mark.parametrize("raw", ["", "{}", "null", '{"kind": "party"}', '{"kind": "log"}', "\xff"])
def test_invalid_json_or_other_objects_are_refused(raw: str) -> None:
    with pytest.raises(ValidationError):
        decode(raw)


def test_a_column_needs_the_same_number_of_steps_and_values() -> None:
    with pytest.raises(ValidationError, match="as many steps as values"):
        Column(key="dynamics.loss", steps=[1], values=[])
