"""Change a comparison's texts and tags, also while somebody else does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi.exceptions import RequestValidationError
from sqlmodel import col, delete

from backend.comparisons import repository
from backend.db.database import Write
from backend.db.models import Comparison, Tag
from backend.errors import EditedMeanwhileError

MAX_TAGS: Final = 20
"""Tags of one comparison; the same limit as in a spec."""


@dataclass(frozen=True)
class Edit:
    """What to change; None leaves a field as it is."""

    name: str | None = None
    notes: str | None = None
    archived: bool | None = None
    tags: Sequence[str] | None = None
    """All tags, in the place of those that there are."""
    add_tags: Sequence[str] = ()
    remove_tags: Sequence[str] = ()
    version: int | None = None
    """The version that the editor has seen; None if it does not matter."""


def change(write: Write, comparison: str, edit: Edit) -> Comparison:
    """Change a comparison's texts and tags, or archive it.

    The stored spec, which the runs use, does not change. The version counts changes of name, notes
    and tags.

    Raises:
        NotFoundError: no comparison has this id.
        EditedMeanwhileError: it has another version than the editor has seen.
        RequestValidationError: it would have too many tags.
    """
    found = repository.get(write.session, comparison)
    if edit.version is not None and edit.version != found.version:
        raise EditedMeanwhileError(
            f"somebody has edited this comparison: it has version {found.version} now, and this "
            f"change is of version {edit.version}; send what should stand with the present version",
            {
                "name": found.name,
                "notes": found.notes,
                "tags": found.tags,
                "version": found.version,
            },
        )
    before = (found.name, found.notes, found.tags)
    if edit.name is not None:
        found.name = edit.name
    if edit.notes is not None:
        found.notes = edit.notes
    if edit.archived is not None:
        found.archived = edit.archived
    found.tags = _changed_tags(found.tags, edit)
    if found.tags != before[2]:
        write.session.exec(delete(Tag).where(col(Tag.comparison_id) == comparison))
        repository.index_tags(write.session, found)
    if (found.name, found.notes, found.tags) != before:
        found.version += 1
    write.session.add(found)
    return found


def _changed_tags(tags: list[str], edit: Edit) -> list[str]:
    """Return the tags after an edit: kept ones first, in their order.

    Raises:
        RequestValidationError: they would be too many.
    """
    if edit.tags is not None:
        return list(edit.tags)
    kept = [tag for tag in tags if tag not in edit.remove_tags]
    changed = [*kept, *(tag for tag in dict.fromkeys(edit.add_tags) if tag not in kept)]
    if len(changed) > max(MAX_TAGS, len(tags)):
        message = f"a comparison has at most {MAX_TAGS} tags; it would have {len(changed)}"
        detail = {"type": "value_error", "loc": ("body", "add_tags"), "msg": message}
        raise RequestValidationError([detail])
    return changed
