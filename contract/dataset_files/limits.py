"""How much of a brought data set is read before it is refused."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Limits:
    """Bounds on what a file may hold; a file beyond one is refused and says which."""

    max_bytes: int = 4 * 2**30
    """Of an archive's files in all, unpacked; of a table's arrays in all, uncompressed."""
    max_files: int = 200_000
    """Files in an archive or in a folder of images."""
    max_file_bytes: int = 64 * 2**20
    """Of one image file."""
    max_pixels: int = 50_000_000
    """Width times height of one image."""
    max_columns: int = 65_536
    """Features of one row."""


DEFAULT: Final = Limits()
"""What is used where nobody says otherwise."""
