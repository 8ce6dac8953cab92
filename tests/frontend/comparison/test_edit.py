"""What an edit sends, and when two people have edited the same text."""

from typing import Any

from frontend.comparison.edit import changed_fields, clashes

FIRST: dict[str, Any] = {"name": "n", "tags": ["a", "b"], "notes": "", "version": 3}


def changes(now: dict[str, Any] | None = None, **typed: Any) -> dict[str, Any]:
    wanted = {"name": "n", "tags": ["a", "b"], "notes": "", **typed}
    return changed_fields(FIRST, {**FIRST, **(now or {})}, **wanted)


def test_only_changed_fields_are_sent() -> None:
    assert changes(name=" n ") == {}
    assert changes(name="m") == {"name": "m", "version": 3}
    assert changes(notes="x") == {"notes": "x", "version": 3}


def test_tags_are_added_and_removed_without_a_version() -> None:
    assert changes(tags=["a", "b", " c "]) == {"add_tags": ["c"]}
    assert changes(tags=["b", "c"]) == {"add_tags": ["c"], "remove_tags": ["a"]}


def test_a_text_that_somebody_else_changed_is_left_alone_or_clashes() -> None:
    now = {"name": "theirs", "version": 4}
    assert changes(now) == changes(now, name="theirs") == {}
    assert changes(now, notes="x") == {"notes": "x", "version": 4}
    assert clashes(FIRST, {**FIRST, **now}, changes(now, notes="x")) == []
    assert clashes(FIRST, {**FIRST, **now}, changes(now, name="mine")) == ["name"]
