"""The client's calls that take a comparison along."""

from typing import BinaryIO, Final, Literal

import httpx

from frontend.api.transport import Transport, part
from frontend.api.types import Everything

PATIENCE: Final = httpx.Timeout(600.0, connect=3.0)
"""A table is written whole before its first byte is sent."""

Table = Literal["results", "series", "runs"]


class ExportCalls(Transport):
    """A comparison as documents and tables."""

    def everything(self, comparison: str) -> Everything:
        """Spec, runs, summary, verdict and versions, as one view of them."""
        params = {"format": "json", "what": "all"}
        return self._call(Everything, "GET", _path(comparison), params=params)

    def export(
        self,
        comparison: str,
        file: BinaryIO,
        *,
        format: Literal["csv", "parquet"] = "csv",
        what: Table = "results",
    ) -> None:
        """Write a table into a file, however large it is.

        Args:
            comparison: its id.
            file: open for writing.
            format: csv for spreadsheets, or parquet with types.
            what: results, a row for each value; series, one for each measured point; or runs.
        """
        params = {"format": format, "what": what}
        self._save(_path(comparison), params, file, timeout=PATIENCE)


def _path(comparison: str) -> str:
    return f"/comparisons/{part(comparison)}/export"
