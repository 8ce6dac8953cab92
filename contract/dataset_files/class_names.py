"""Names of classes and files: what is refused in them, which look alike, and their order."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from contract.dataset_files.problems import Findings
from contract.names import has_control_character

_DIGITS: Final = re.compile(r"([0-9]+)")


def printable(name: str) -> str:
    r"""Return a name with control characters written as escapes, such as `\n`."""
    return "".join(
        repr(character)[1:-1] if has_control_character(character) else character
        for character in name
    )


def check_name(path: str, name: str, findings: Findings) -> None:
    """Add a problem if a name of a class or a file holds a control character.

    Args:
        path: where the name is, for the problem.
        name: the name alone.
        findings: gets the problem.
    """
    if has_control_character(name):
        findings.add(
            printable(path), "has a line break or another control character in its name; rename it"
        )


def warn_of_similar_names(names: Iterable[str], findings: Findings) -> None:
    """Warn of class names that look alike: they differ only in spaces, in capitals, or in how
    Unicode writes an accent (NFC and NFD)."""
    first: dict[str, str] = {}
    for name in names:
        earlier = first.setdefault(_plain(name), name)
        if earlier != name:
            findings.warn(
                name,
                f"looks like {earlier!r} and is another class: the names differ in "
                f"{_difference(earlier, name)}; if they are one class, give them one name",
            )


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split()).casefold()


def _difference(first: str, second: str) -> str:
    normal = [unicodedata.normalize("NFC", name) for name in (first, second)]
    if normal[0] == normal[1]:
        return "how Unicode writes their accents (NFC and NFD)"
    spaceless = [" ".join(name.split()) for name in normal]
    return "spaces" if spaceless[0] == spaceless[1] else "capital letters"


def number_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts the numbers in names by value: 1, 2, 10, and `a2` before `a10`."""
    parts = _DIGITS.split(name)
    return tuple(
        # Python converts at most 4,300 digits; names are shorter than 256 bytes.
        (0, int(part), part) if place % 2 else (1, 0, part)
        for place, part in enumerate(parts)
        if part
    )


def number_order(names: Sequence[str]) -> list[int]:
    """Return the indices of names in the order in which people read them."""
    return sorted(range(len(names)), key=lambda index: number_key(names[index]))
