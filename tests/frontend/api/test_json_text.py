"""JSON that people write: what two readers could read differently is told with its path."""

import pytest

from frontend.api.json_text import JsonTextError, read_json


def test_json_is_read() -> None:
    assert read_json('{"a": [1, {"b": null}]}') == read_json(b'{"a": [1, {"b": null}]}')
    assert read_json('{"a": [1, {"b": null}]}') == {"a": [1, {"b": None}]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '{"arms": [{"loss": {"margin": 1, "margin": 2}}], "name": "a", "name": "b"}',
            "name: the key is given more than once; give it once; "
            "arms[0].loss.margin: the key is given more than once; give it once",
        ),
        ('{"arms": [{"margin": NaN}]}', "arms[0].margin: NaN is not a number"),
        ("-Infinity", "spec: -Infinity is not a number"),
        ('{"a":\n 1,, }', "at line 2, column 4"),
        (b'"\xff"', "not UTF-8"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("9" * 5000, "cannot be read"),
    ],
)
def test_everything_else_is_told_with_its_place(text: str | bytes, says: str) -> None:
    with pytest.raises(JsonTextError) as raised:
        read_json(text)
    assert says in str(raised.value)
