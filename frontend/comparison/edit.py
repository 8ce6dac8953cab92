"""The form by which people edit a comparison's name, tags and notes, also two at the same time."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from frontend.api.client import Api
from frontend.api.types import Comparison
from frontend.errors import ApiError, EditedMeanwhileError
from frontend.ui.text import escape_markdown

SEEN_KEY: Final = "comparison_edited_meanwhile"  # the texts of the refusal that was shown last
TEXTS: Final = ("name", "notes")
"""Fields of which only one person's text can stay; tags of several people are joined."""
ATTEMPTS: Final = 3
"""How often a change is sent again that meets changes of other fields."""


def changed_fields(
    first: Mapping[str, Any],
    now: Mapping[str, Any],
    *,
    name: str,
    tags: Sequence[str],
    notes: str,
) -> dict[str, Any]:
    """Return only what the viewer changed, so that no change of others is undone.

    Args:
        first: the comparison as the viewer saw it first.
        now: its texts and version as far as the viewer knows them now.
        name: what the viewer wants.
        tags: the same.
        notes: the same.
    """
    wanted = {"name": name.strip(), "notes": notes}
    changes: dict[str, Any] = {
        field: value for field, value in wanted.items() if value not in {first[field], now[field]}
    }
    if changes:
        changes["version"] = now["version"]
    kept = [tag.strip() for tag in tags]
    if added := [tag for tag in kept if tag not in first["tags"]]:
        changes["add_tags"] = added
    if removed := [tag for tag in first["tags"] if tag not in kept]:
        changes["remove_tags"] = removed
    return changes


def clashes(
    first: Mapping[str, Any], now: Mapping[str, Any], changes: Mapping[str, Any]
) -> list[str]:
    """Return the texts that both the viewer and somebody else changed."""
    return [field for field in TEXTS if field in changes and now[field] != first[field]]


def edit_form(client: Api, first: Comparison) -> bool:
    """Draw the form; return whether it has just been saved.

    Where somebody else has changed the same text meanwhile, both texts are shown and the viewer
    chooses; nothing is saved until then, and what was typed stays in its field.
    """
    own = first["id"]
    name = st.text_input("Name", first["name"], max_chars=200, key=_key("name", own))
    tags = st.multiselect(
        "Tags",
        first["tags"],
        default=first["tags"],
        accept_new_options=True,
        max_selections=20,
        placeholder="type a word and press Enter",
        key=_key("tags", own),
    )
    write, preview = st.tabs(["Notes", "Preview"])
    notes = write.text_area(
        "Notes in Markdown",
        first["notes"],
        height=220,
        max_chars=20_000,
        key=_key("notes", own),
    )
    with preview.container(height=270, border=False):
        if notes.strip():
            st.markdown(notes)
        else:
            st.caption("No notes yet: record why you ran this and what you found.")
    seen: Mapping[str, Any] | None = st.session_state.get(SEEN_KEY)
    typed: dict[str, Any] = {"name": name, "tags": tags, "notes": notes}
    open_clashes = clashes(first, seen, changed_fields(first, seen, **typed)) if seen else []
    if seen and open_clashes:
        _show_theirs(own, seen, open_clashes)
    label = "Save mine" if open_clashes else "Save"
    if not st.button(label, type="primary", icon=":material/check:", key=f"edit_save_{own}"):
        return False
    return _save(client, first, seen or first, typed)


def show_problems(error: ApiError) -> None:
    """Show what is wrong with what was sent."""
    for path, message in error.fields or (("", error.message),):
        st.error(escape_markdown(f"{path}: {message}" if path else message))


def _key(field: str, comparison: str) -> str:
    return f"edit_{field}_{comparison}"


def _save(client: Api, first: Comparison, now: Mapping[str, Any], typed: Mapping[str, Any]) -> bool:
    """Send the changes; return whether they are stored.

    Changes of other fields by other people are no obstacle: it is sent again with the new version.
    """
    for _ in range(ATTEMPTS):
        changes = changed_fields(first, now, **typed)
        try:
            client.patch(first["id"], **changes)
        except EditedMeanwhileError as error:
            now = error.current
            if clashes(first, now, changed_fields(first, now, **typed)):
                st.session_state[SEEN_KEY] = now
                st.rerun()
        except ApiError as error:
            show_problems(error)
            return False
        else:
            return True
    st.error("Someone else is changing this comparison right now; save again.")
    return False


def _show_theirs(own: str, seen: Mapping[str, Any], fields: list[str]) -> None:
    """Show the texts of the other person, each with a button that takes it."""
    texts: dict[str, str] = {"name": seen["name"], "notes": seen["notes"]}
    what = " and the ".join(fields)
    st.warning(
        f"Someone else has changed the {what} in the meantime. Yours is not saved yet: "
        "overwrite theirs, merge both by hand, or take theirs.",
        icon=":material/group:",
    )
    for field in fields:
        st.text_area(
            f"The {field} as saved by someone else",
            texts[field],
            disabled=True,
            key=f"edit_theirs_{field}_{own}_{seen['version']}",
        )
        st.button(
            f"Take their {field}",
            key=f"edit_take_{field}_{own}",
            on_click=_take,
            args=(_key(field, own), texts[field]),
        )


def _take(key: str, text: str) -> None:
    st.session_state[key] = text
