"""The generated types of the API's answers are those of the API as it is."""

from frontend.api import types
from tests.support import api_types


def test_the_generated_types_are_current() -> None:
    assert api_types.FILE.read_text(encoding="utf-8") == api_types.generated(), "run `make types`"


def test_keys_that_may_be_absent_are_not_required() -> None:
    assert types.QueueSlot.__required_keys__ == types.Worker.__required_keys__
    assert "arm" in types.QueueSlot.__optional_keys__
