"""Names of downloaded files, whatever a comparison is called."""

import re
import unicodedata
from typing import Final
from urllib.parse import quote

LONGEST: Final = 80
"""Characters of a comparison's name that a file's name keeps."""

_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def file_name(name: str, fallback: str, ending: str) -> str:
    """A name that every file system takes: no separators, no characters that control or hide.

    Args:
        name: for people, as someone typed it.
        fallback: used where nothing of the name is left.
        ending: as `-results.csv`.
    """
    shown = "".join("-" if unicodedata.category(c) in _HIDDEN else c for c in name)
    kept = re.sub(r"[<>:\"/\\|?*%\s-]+", "-", shown)[:LONGEST].strip("-. ")
    if not kept or _RESERVED.fullmatch(kept):
        kept = fallback
    return f"{kept}{ending}"


_HIDDEN: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def disposition(name: str) -> str:
    """The Content-Disposition of a download (RFC 6266), with the name in full by RFC 5987."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^\w.-]+", "-", plain).strip("-") or "download"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
