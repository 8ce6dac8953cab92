"""An API with its database and broker, behind a real server."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url

from backend.app import create_app
from backend.db import migrations
from backend.db.database import Database
from backend.ingest import collector
from backend.settings import Settings
from backend.state import Parts
from tests.backend.helpers import TOKEN, Api
from tests.support.postgres import Postgres, running_postgres
from tests.support.serving import serving


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server for the session."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file without rows; tests copy it."""
    file = tmp_path_factory.mktemp("migrated") / "lossboard.sqlite"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_template(postgres: Postgres) -> Iterator[str]:
    """The name of a migrated PostgreSQL database without rows; tests copy it."""
    with postgres.fresh() as url:
        _migrate(url)
        yield str(make_url(url).database)


def _migrate(url: str) -> None:
    database = Database(url)
    migrations.upgrade(database)
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database without rows, on both kinds; tests/conftest.py says what runs when."""
    if request.param == "sqlite":
        (tmp_path / "data").mkdir(exist_ok=True)
        copy = tmp_path / "data" / "lossboard.sqlite"
        shutil.copy(request.getfixturevalue("migrated_file"), copy)
        yield f"sqlite:///{copy}"
        return
    template = request.getfixturevalue("migrated_template")
    server: Postgres = request.getfixturevalue("postgres")
    with server.fresh(template) as url:
        yield url


@pytest.fixture
def settings(tmp_path: Path, database_url: str, broker_url: str) -> Settings:
    return Settings(tmp_path / "data", database_url, broker_url, TOKEN)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database that no API process uses."""
    made = Database(database_url)
    yield made
    made.close()


@pytest.fixture(scope="session", autouse=True)
def collectors_that_stop_soon() -> Iterator[None]:
    """Shorten the reads of the stream: a collector notices its stop when a read returns."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collector, "BLOCK_MS", 20)
        yield


Serve = Callable[[Settings], AbstractContextManager[tuple[Api, Parts]]]


@pytest.fixture
def serve() -> Serve:
    """Run the app behind a real server in a thread of this process."""

    @contextmanager
    def start(settings: Settings) -> Iterator[tuple[Api, Parts]]:
        app = create_app(settings)

        def end_streams() -> None:
            app.state.parts.hub.close_soon()

        with (
            serving(app, before_stop=end_streams) as url,
            httpx.Client(base_url=url, timeout=60) as http,
        ):
            yield Api(http), app.state.parts

    return start


@pytest.fixture
def served(serve: Serve, settings: Settings) -> Iterator[tuple[Api, Parts]]:
    """The API behind a real server."""
    with serve(settings) as running:
        yield running


@pytest.fixture
def api(served: tuple[Api, Parts]) -> Api:
    return served[0]


@pytest.fixture
def client(api: Api) -> httpx.Client:
    return api.http


@pytest.fixture
def parts(served: tuple[Api, Parts]) -> Parts:
    return served[1]
