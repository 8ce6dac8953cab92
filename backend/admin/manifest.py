"""What a backup file is: an uncompressed tar of these members, the manifest behind all others.

Embeddings and checkpoints, which are most of it, hardly compress, so nothing is compressed. The
manifest comes last: a file that was cut off has none.
"""

import re
from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from backend.datasets.files import CONTENT, THUMBNAILS, UPLOADS
from backend.storage.blobs import BLOBS

FORMAT: Final = 1
"""Changes when a reader of the file has to."""
MANIFEST: Final = "manifest.json"
DATABASE: Final = "database.sqlite"
MOST: Final = 1 << 30
"""Bytes that a manifest may have: some million blobs."""
_BLOB: Final = re.compile(rf"{BLOBS}/([0-9a-f]{{64}})")
_UPLOAD: Final = re.compile(rf"{UPLOADS}/d[0-9a-f]{{16}}/(?:{CONTENT}|{re.escape(THUMBNAILS)})")


class Member(BaseModel):
    """One file of a backup."""

    model_config = ConfigDict(extra="forbid")

    size: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Manifest(BaseModel):
    """What a backup holds."""

    model_config = ConfigDict(extra="forbid")

    format: int
    made_at: str
    """ISO 8601, UTC."""
    lossboard: str
    """The version that made it."""
    revision: str
    """Of the database's schema."""
    source: str
    """sqlite or postgresql: what was backed up; the file holds SQLite either way."""
    members: dict[str, Member]
    damaged: list[str] = Field(default_factory=list)
    """Members that were damaged on disk already; no row of the database names them."""

    @property
    def size(self) -> int:
        """Bytes of all members."""
        return sum(member.size for member in self.members.values())


def blob_name(digest: str) -> str:
    """The member that holds a blob."""
    return f"{BLOBS}/{digest}"


def upload_name(dataset: str, file: str) -> str:
    """The member that holds a file of an uploaded data set."""
    return f"{UPLOADS}/{dataset}/{file}"


def is_known(name: str) -> bool:
    """Whether a member of this name may be in a backup; so none leads out of its folder."""
    return name == DATABASE or any(kind.fullmatch(name) for kind in (_BLOB, _UPLOAD))


def blobs_of(members: Mapping[str, Member]) -> dict[str, Member]:
    """Those members that are blobs, by digest."""
    found = ((_BLOB.fullmatch(name), member) for name, member in members.items())
    return {match[1]: member for match, member in found if match}
