"""The command line of tokens: with a running API, with a stopped one, two at once."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import make_url
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from backend.admin import token_command
from backend.db import migrations
from backend.db.database import Database
from backend.db.exclusive import hold_database
from backend.settings import Settings
from backend.storage import data_folder
from tests.backend.conftest import Serve
from tests.backend.helpers import Api
from tests.backend.token_users import ENTRIES, TOKENS, bearer, with_tokens
from tests.support.api_process import api_process
from tests.support.serving import serving

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("LOSSBOARD_")}
SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


@pytest.fixture
def environ(settings: Settings) -> dict[str, str]:
    """The environment of a command for this installation."""
    return {
        **CLEAN,
        "LOSSBOARD_DATA_DIR": str(settings.data_dir),
        "LOSSBOARD_DATABASE_URL": settings.database_url,
    }


class Said:
    """What a command printed."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out.strip(), err.strip()


class Command:
    """Runs the command in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, environ: Mapping[str, str], *words: str) -> Said:
        self._capsys.readouterr()
        status = token_command.main(words, environ)
        return Said(status, *self._capsys.readouterr())


@pytest.fixture
def token(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


def status(api: Api, secret: str) -> int:
    return api.http.get("/api/v1/me", headers=bearer(secret)).status_code


@pytest.mark.both_databases
def test_the_first_token_is_added_while_the_api_is_stopped(
    environ: dict[str, str], token: Command, serve: Serve, settings: Settings
) -> None:
    settings.data_dir.mkdir(exist_ok=True)
    assert token(environ, "list").out.startswith("No tokens: everybody")
    made = token(environ, "add", "Vera", "viewer")
    assert SECRET.fullmatch(made.out)
    assert "asks everyone for a token" in made.err
    assert "Nobody is an admin yet" in made.err
    password = make_url(settings.database_url).password
    assert not password or f":{password}@" not in made.err
    made = token(environ, "add", "Ada", "admin", "--expires", "90d")
    assert "It expires on 2" in made.err
    again = token(environ, "add", "Ada", "admin")
    assert (again.status, again.out) == (1, "")
    assert "has a token already" in again.err
    listed = token(environ, "list").out
    assert re.search(r"^Ada +admin +active +database +20.* UTC +20.* UTC +-$", listed, re.MULTILINE)
    with serve(settings) as (api, _):
        assert status(api, made.out) == 200
        assert api.http.get("/api/v1/comparisons").status_code == 401


@pytest.mark.both_databases
def test_a_running_api_changes_them_itself(
    environ: dict[str, str], token: Command, serve: Serve, settings: Settings
) -> None:
    with serve(with_tokens(settings)) as (api, _):
        address = str(api.http.base_url)
        (settings.data_dir / token_command.ADDRESS_FILE).write_text(address)
        refused = token(environ, "add", "Ada", "editor")
        assert (refused.status, refused.out) == (1, "")
        assert "Set LOSSBOARD_TOKEN to an admin's token" in refused.err
        as_editor = {**environ, "LOSSBOARD_TOKEN": TOKENS["editor"]}
        assert "needs the role admin" in token(as_editor, "list").err
        as_admin = {**environ, "LOSSBOARD_TOKEN": f"{TOKENS['admin']}\n"}
        made = token(as_admin, "add", "Ada", "editor")
        assert status(api, made.out) == 200
        listed = token(as_admin, "list").out
        assert re.search(r"^Vera +viewer +active +environment +- +- ", listed, re.MULTILINE)
        assert made.out not in listed
        named = token({**as_admin, "LOSSBOARD_DATA_DIR": "/nowhere"}, "list", "--api", address)
        assert named.out.splitlines()[0] == listed.splitlines()[0]
        wrong = token(as_admin, "revoke", "Vera")
        assert "take its entry out" in wrong.err
        ended = token(as_admin, "revoke", "Ada")
        assert ended.status == 0, ended.err
        assert status(api, made.out) == 401


def test_an_open_api_that_runs_takes_no_first_token(
    environ: dict[str, str], token: Command, served: tuple[Api, object], settings: Settings
) -> None:
    address = str(served[0].http.base_url)
    (settings.data_dir / token_command.ADDRESS_FILE).write_text(address)
    made = token(environ, "add", "Ada", "admin")
    assert (made.status, made.out) == (1, "")
    assert "Stop it" in made.err
    assert served[0].get("/me")["signed_in"] is False


def test_problems_are_told_at_once_and_change_nothing(
    environ: dict[str, str], token: Command, settings: Settings
) -> None:
    wrong = token(environ, "add", " ", "owner", "--expires", "2020-01-01")
    assert wrong.status == 1
    for part in ("name is empty", "role", "'viewer', 'editor' or 'admin'", "lies in the past"):
        assert part in wrong.err
    taken = token({**environ, "LOSSBOARD_TOKENS": ENTRIES}, "add", "Adam", "admin")
    assert "LOSSBOARD_TOKENS" in taken.err
    assert token(environ, "list").out.startswith("No tokens")
    assert "there is no token of 'Ada'" in token(environ, "revoke", "Ada").err
    missing = {**environ, "LOSSBOARD_DATA_DIR": "/nowhere"}
    assert "there is no data folder /nowhere" in token(missing, "list").err
    away = token(environ, "list", "--api", "http://127.0.0.1:1")
    assert away.status == token_command.EXIT_AWAY
    assert "no API answers at http://127.0.0.1:1" in away.err
    assert "leave --api and LOSSBOARD_API_URL out" in away.err


@pytest.mark.slow
def test_a_token_of_both_places_can_be_revoked_while_the_api_cannot_start(
    environ: dict[str, str], token: Command, serve: Serve, settings: Settings, tmp_path: Path
) -> None:
    token(environ, "add", "Adam", "admin")
    own = {**environ, "REDIS_URL": settings.redis_url, "LOSSBOARD_TOKENS": ENTRIES}
    with api_process(tmp_path / "log", own) as api_that_ends:
        assert api_that_ends.wait_for_end() != 0
        assert "Traceback" not in api_that_ends.log
        assert len(api_that_ends.log.splitlines()) <= 2, api_that_ends.log
        assert "token revoke Adam" in api_that_ends.log
    assert token({**environ, "LOSSBOARD_TOKENS": ENTRIES}, "revoke", "Adam").status == 0
    with serve(with_tokens(settings)) as (api, _):
        assert status(api, TOKENS["admin"]) == 200


def test_a_folder_that_something_else_uses_is_left_alone(
    environ: dict[str, str],
    token: Command,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(token_command, "WAIT_S", 0.3)
    settings.data_dir.mkdir(exist_ok=True)
    (settings.data_dir / token_command.ADDRESS_FILE).write_text("http://127.0.0.1:1")
    with data_folder.exclusive_locks(settings.data_dir, data_folder.API_LOCK):
        made = token(environ, "add", "Ada", "admin")
    assert made.status == token_command.EXIT_AWAY
    assert "something uses" in made.err
    assert token(environ, "list").out.startswith("No tokens")


@pytest.mark.both_databases
def test_a_database_that_an_api_of_another_folder_serves_is_left_alone(
    environ: dict[str, str],
    token: Command,
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(token_command, "WAIT_S", 0.3)
    monkeypatch.setattr(token_command, "DEFAULT_API", "http://127.0.0.1:1")
    other = {**environ, "LOSSBOARD_DATA_DIR": str(tmp_path / "other")}
    hold = hold_database(database.engine)
    made = token(other, "add", "Ada", "admin")
    hold.release()
    assert made.status == token_command.EXIT_AWAY
    assert "or its database" in made.err
    assert token(other, "list").out.startswith("No tokens")


def test_an_older_database_is_migrated_and_a_newer_one_is_left_alone(
    tmp_path: Path, token: Command
) -> None:
    environ = {**CLEAN, "LOSSBOARD_DATA_DIR": str(tmp_path / "new")}
    assert token(environ, "add", "Ada", "admin").status == 0
    database = Database(f"sqlite:///{tmp_path / 'new' / 'lossboard.sqlite'}")
    assert migrations.current(database) == migrations.head()
    with database.write() as write:
        write.session.connection().exec_driver_sql("UPDATE alembic_version SET version_num='9999'")
    database.close()
    assert "newer" in token(environ, "add", "Bo", "viewer").err


def test_two_commands_at_once_make_one_token(environ: dict[str, str], settings: Settings) -> None:
    command = [sys.executable, "-m", "launcher", "token", "add", "Ada", "admin"]
    both = [
        subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    ended = [(*process.communicate(timeout=100), process.returncode) for process in both]
    assert sorted(code for _, _, code in ended) == [0, 1], ended
    [secret] = [out.strip() for out, _, code in ended if code == 0]
    assert SECRET.fullmatch(secret)
    assert [err for _, err, code in ended if code == 1 and "has a token already" in err]
    assert not [err for _, err, _ in ended if secret in err]


def test_a_redirect_does_not_get_the_token(environ: dict[str, str], token: Command) -> None:
    asked: list[str] = []

    async def redirect(request: Request) -> RedirectResponse:
        asked.append(request.url.path)
        return RedirectResponse("/elsewhere")

    with serving(Starlette(routes=[Route("/{path:path}", redirect)])) as url:
        said = token({**environ, "LOSSBOARD_TOKEN": TOKENS["admin"]}, "list", "--api", url)
    assert said.status == 1
    assert "is it the API of Lossboard?" in said.err
    assert asked == ["/api/v1/tokens"]
