"""Where the database and the data folder are, and whether a command may change them."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlalchemy import make_url

from backend.db import migrations
from backend.db.database import Database
from backend.errors import BackendError
from backend.settings import Settings
from backend.storage import data_folder


class AdminError(BackendError):
    """One clear line for the person who typed the command; nothing was changed."""


@dataclass(frozen=True)
class Locations:
    """The data folder and the database that the API would use."""

    folder: Path
    url: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], folder: Path | None = None) -> Self:
        """Read them from the environment, as the API does; `folder` overrides the data folder."""
        own = dict(environ)
        if folder is not None:
            own["LOSSBOARD_DATA_DIR"] = str(folder.expanduser().absolute())
        own.setdefault("LOSSBOARD_WORKER_TOKEN", "not used")
        settings = Settings.from_environ(own)
        return cls(settings.data_dir, settings.database_url)

    @property
    def file(self) -> Path | None:
        """The database's file; None for a server."""
        url = make_url(self.url)
        return Path(url.database or "") if url.get_backend_name() == "sqlite" else None

    @property
    def display_url(self) -> str:
        """The database's URL without its password."""
        return make_url(self.url).render_as_string(hide_password=True)

    @contextmanager
    def database(self, *, make: bool = False) -> Iterator[Database]:
        """Open the database.

        Raises:
            AdminError: there is none, and `make` is not set.
        """
        if self.file is not None and not self.file.is_file():
            if not make:
                raise AdminError(
                    f"there is no database {self.file}; name the data folder with --data-dir, or "
                    "set LOSSBOARD_DATABASE_URL"
                )
            self.file.parent.mkdir(parents=True, exist_ok=True)
        database = Database(self.url)
        try:
            yield database
        finally:
            database.close()

    @contextmanager
    def lock(self, doing: str, *locks: str, hint: str = "") -> Iterator[None]:
        """Hold locks of the data folder, so that other processes leave it alone.

        Raises:
            AdminError: an API or a launcher uses it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with data_folder.exclusive_locks(self.folder, *locks):
                yield
        except BlockingIOError as error:
            who = {
                data_folder.API_LOCK: "an API uses",
                data_folder.LAUNCHER_LOCK: "a launcher runs on",
                data_folder.BACKUP_LOCK: "a backup is being made of",
            }
            raise AdminError(
                f"{who.get(str(error.filename), 'something holds')} the data folder {self.folder}, "
                f"which cannot be {doing} now; stop it first" + (f", {hint}" if hint else "")
            ) from error

    def check_version(self, version: str | None) -> None:
        """Refuse a database of a newer version than this one.

        Raises:
            AdminError: it is newer.
        """
        if version is not None and not migrations.known(version):
            raise AdminError(
                f"{self.display_url} has version {version}, which this one does not know; a newer "
                f"Lossboard made it (this one's newest is {migrations.head()})"
            )


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to disk, after a rename."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
