"""Names of the members of a zip: those that are not marked as UTF-8 are decoded by a guess.

A zip says of each name whether it is UTF-8. Without that mark, macOS writes UTF-8 all the same, and
Windows writes the code page of its language. The guess is made once for all names of an archive.
"""

import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal

from contract.dataset_files.problems import Findings

_UTF8_MARK: Final = 0x800
_UNICODE_PATH: Final = 0x7075
"""Type of the extra field that holds a member's name as UTF-8."""
_TITLES: Final = {"cp437": "CP437 (Windows, Western Europe)", "cp932": "Shift-JIS (Windows, Japan)"}

Codec = Literal["utf-8", "cp932", "cp437"]


def member_names(infos: Sequence[zipfile.ZipInfo], findings: Findings) -> list[str]:
    """Return the names of members, with `/` between their parts.

    A remark names the code page if it had to be guessed. Nothing is checked here: a name may lead
    out of the archive.
    """
    told = [_told_name(info) for info in infos]
    raw = [
        info.orig_filename.encode("cp437")
        for info, name in zip(infos, told, strict=True)
        if name is None
    ]
    codec = guess_codec(raw)
    if codec != "utf-8":
        findings.warn(
            "",
            f"does not say how its names are written; they were read as {_TITLES[codec]}. If they "
            "are wrong, pack it with a program that writes UTF-8 names, such as 7-Zip",
        )
    names = [
        info.orig_filename.encode("cp437").decode(codec) if name is None else name
        for info, name in zip(infos, told, strict=True)
    ]
    # PowerShell and old .NET programs write backslashes between the parts of a path.
    return [name.replace("\\", "/") for name in names]


def _told_name(info: zipfile.ZipInfo) -> str | None:
    """Return a member's name if the archive says how it is written; None otherwise."""
    if info.flag_bits & _UTF8_MARK or info.orig_filename.isascii():
        return info.orig_filename
    raw = info.orig_filename.encode("cp437")
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        # The field holds the digest of the plain name, as that may have been changed since.
        if kind == _UNICODE_PATH and field[1:5] == struct.pack("<I", zlib.crc32(raw)):
            try:
                return field[5:].decode()
            except UnicodeDecodeError:
                return None
    return None


def guess_codec(raw: Sequence[bytes]) -> Codec:
    """Return the code page in which all these names are most likely written.

    UTF-8 if all names are valid: text in another code page hardly ever is. CP437 if all of them
    are then words in Latin letters. Otherwise Shift-JIS if all names are valid in it.
    """
    if _decoded(raw, "utf-8") is not None:
        return "utf-8"
    western = _decoded(raw, "cp437")
    if western is not None and _are_words(western):
        return "cp437"
    return "cp437" if _decoded(raw, "cp932") is None else "cp932"


def _decoded(raw: Sequence[bytes], codec: Codec) -> list[str] | None:
    try:
        names = [name.decode(codec) for name in raw]
    except UnicodeDecodeError:
        return None
    # Python decodes bytes that are not in Shift-JIS to characters for private use.
    private = any(unicodedata.category(character) == "Co" for name in names for character in name)
    return None if private and codec == "cp932" else names


def _are_words(names: Sequence[str]) -> bool:
    """Return whether names look like words of a Western language.

    Japanese names that are read as CP437 hold signs that are no Latin letters, more accented
    letters than plain ones, or capital letters after small ones.
    """
    parts = {
        part.rpartition(".")[0] or part  # an ending such as .png says nothing about the language
        for name in names
        for part in re.split(r"[/\\]", name)
        if not part.isascii()
    }
    accented = [character for part in parts for character in part if not character.isascii()]
    plain = sum(character.isascii() and character.isalpha() for part in parts for character in part)
    if any("LATIN" not in unicodedata.name(character, "") for character in accented):
        return False
    if len(accented) > plain:
        return False
    pairs = [pair for part in parts for pair in pairwise(part)]
    return not any(
        first.islower() and second.isupper() and not (first + second).isascii()
        for first, second in pairs
    )
