"""`python -m launcher token add|list|revoke`: the tokens of a running or of a stopped API.

One process may change them at a time: the API while it runs, else the command, which then keeps
the API from starting. Which one it is, the locks of the data folder and of the database say.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from backend.admin.locations import AdminError, Locations
from backend.admin.token_client import ApiAwayError, TokenClient
from backend.auth import __main__ as new_entry
from backend.auth.access import AccessTokens
from backend.auth.permissions import ROLES
from backend.auth.stored_tokens import COMMAND_LINE, NewToken, has_admin, stored
from backend.auth.token_routes import (
    AccessToken,
    AccessTokenList,
    CreatedToken,
    token_list,
    token_out,
)
from backend.auth.tokens import Tokens
from backend.db import migrations
from backend.db.database import Database
from backend.db.exclusive import Hold, InUseError, hold_database
from backend.errors import BackendError, HttpError
from backend.settings import Settings
from backend.storage import data_folder
from backend.storage.private_folder import make_private

API_VARIABLE: Final = "LOSSBOARD_API_URL"
DEFAULT_API: Final = "http://127.0.0.1:8500"
ADDRESS_FILE: Final = "api-address"
"""File of the data folder in which the launcher says where its API is."""
TOKEN_LOCK: Final = "token.lock"
"""Held by a command that changes tokens while the API is stopped."""
WAIT_S: Final = 10.0
"""How long an API that starts or stops is waited for."""
RETRY_S: Final = 0.1
IS_CLOSED: Final = "is-closed"
ACTIONS: Final = ("add", "list", "revoke", IS_CLOSED)
EXIT_AWAY: Final = 3

Result = TypeVar("Result")


def parser() -> argparse.ArgumentParser:
    """Build the parser."""
    top = argparse.ArgumentParser(
        prog="python -m launcher token",
        description="Add, list and revoke tokens. While the API runs this calls it, with the "
        "admin's token in LOSSBOARD_TOKEN; while it is stopped this changes its database.",
        epilog="`python -m launcher token NAME ROLE` prints a new token and its entry for "
        "LOSSBOARD_TOKENS, and stores nothing.",
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="add|list|revoke")
    adding = verbs.add_parser("add", help="make a token; it goes to stdout and is shown only now")
    adding.add_argument("name", metavar="NAME", help="who it is for; what they submit goes by it")
    adding.add_argument("role", metavar="ROLE", help=", ".join(ROLES))
    adding.add_argument(
        "--expires", metavar="E", help="90d, a date (its end, UTC) or a time; default: never"
    )
    verbs.add_parser("list", help="show all tokens, without their secrets")
    revoking = verbs.add_parser("revoke", help="refuse a token from now on")
    revoking.add_argument("name", metavar="NAME")
    revoking.add_argument(
        "--last-admin", action="store_true", help="also if it is the last one of an admin"
    )
    verbs.add_parser(IS_CLOSED)  # for the launcher
    for verb in verbs.choices.values():
        verb.add_argument(
            "--api",
            metavar="URL",
            help=f"where the API runs; default: ${API_VARIABLE}, or, if one runs on the data "
            f"folder, the address at which the launcher started it, or {DEFAULT_API}",
        )
        verb.add_argument(
            "--data-dir", type=Path, metavar="D", help="default: $LOSSBOARD_DATA_DIR or ./data"
        )
    return top


@dataclass(frozen=True)
class StoppedTokens:
    """The tokens in the database of an API that is stopped."""

    access: AccessTokens
    environment: Tokens
    where: str

    def add(self, new: NewToken) -> CreatedToken:
        """Add a token.

        Raises:
            BackendError: the name has one.
        """
        was_open = not self.access
        row, secret = self.access.add(new, by=COMMAND_LINE)
        say(f"Stored in {self.where}, for the next start of the API.")
        if was_open:
            say("From then on it asks everyone for a token.")
        if not has_admin(self.access.stored(), self.environment, self.access.now()):
            say("Nobody is an admin yet: `python -m launcher token add NAME admin` makes one.")
        return CreatedToken(secret=secret, token=token_out(row, self.access))

    def tokens(self) -> AccessTokenList:
        """Return all tokens."""
        return token_list(self.access)

    def revoke(self, name: str, *, last_admin: bool) -> AccessToken:
        """Revoke a token.

        Raises:
            BackendError: the name has none, or it is the last one of an admin.
        """
        row = self.access.revoke(name, by=COMMAND_LINE, last_admin=last_admin)
        return token_out(row, self.access)


Do = Callable[[TokenClient | StoppedTokens], Result]


class TokenCommand:
    """Changes tokens where they can be changed now."""

    def __init__(self, environ: Mapping[str, str], folder: Path | None, api: str | None) -> None:
        """Read the settings; `folder` and `api` override them.

        Raises:
            SettingsError: a setting is wrong.
        """
        own = {**environ, "LOSSBOARD_WORKER_TOKEN": "not used"}
        if folder is not None:
            own["LOSSBOARD_DATA_DIR"] = str(folder.expanduser().absolute())
        self._settings = Settings.from_environ(own)
        self._locations = Locations(self._settings.data_dir, self._settings.database_url)
        self._address = api or environ.get(API_VARIABLE) or ""
        self._token = environ.get("LOSSBOARD_TOKEN", "").strip()

    def run(self, do: Do[Result], *, make: bool = False) -> Result:
        """Do it at the API that is named or runs on the data folder, else in the database.

        Args:
            do: what to do.
            make: whether the database is created if there is none.

        Raises:
            BackendError: it cannot be done; the message says why.
        """
        if self._address:
            try:
                return do(TokenClient(self._address, self._token))
            except ApiAwayError as error:
                raise ApiAwayError(
                    f"{error}. If it is stopped, leave --api and {API_VARIABLE} out: tokens are "
                    "then changed in the database of the data folder"
                ) from None
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                return self._while_stopped(do, make=make)
            except BlockingIOError as error:
                if error.filename != TOKEN_LOCK:
                    away = self._try_running(do)
                    if not isinstance(away, ApiAwayError):
                        return away
                else:
                    away = ApiAwayError("another `token` command has not ended")
            if time.monotonic() >= deadline:
                raise ApiAwayError(
                    f"something uses {self._locations.folder} or its database, and {away}. Name "
                    "the API's address with --api, or wait for what uses them"
                )
            time.sleep(RETRY_S)

    def closed(self) -> bool:
        """Return whether the API will ask for tokens, also while one runs."""
        if self._settings.tokens:
            return True
        if self._locations.file is not None and not self._locations.file.is_file():
            return False
        with self._locations.database() as database, database.read() as session:
            return bool(stored(session))

    def _try_running(self, do: Do[Result]) -> Result | ApiAwayError:
        kept = self._locations.folder / ADDRESS_FILE
        address = kept.read_text(encoding="utf-8").strip() if kept.is_file() else DEFAULT_API
        try:
            return do(TokenClient(address, self._token))
        except ApiAwayError as error:
            return error

    def _while_stopped(self, do: Do[Result], *, make: bool) -> Result:
        """Do it in the database while no API uses it, and keep one from starting.

        Raises:
            BlockingIOError: an API, or another command, uses the data folder or the database.
            SettingsError: the data folder is another user's.
        """
        folder, locations = self._locations.folder, self._locations
        if not make and not folder.is_dir():
            raise AdminError(f"there is no data folder {folder}; name it with --data-dir")
        make_private(folder)
        with (
            data_folder.exclusive_locks(folder, TOKEN_LOCK, data_folder.API_LOCK),
            locations.database(make=make) as database,
        ):
            database.hold = _hold(database)
            locations.check_version(migrations.current(database))
            migrations.upgrade(database)
            access = AccessTokens(self._settings.tokens)
            access.load(database)
            return do(StoppedTokens(access, self._settings.tokens, locations.display_url))


def _hold(database: Database) -> Hold:
    """Hold the database as an API does.

    Raises:
        BlockingIOError: an API, or another command, holds it.
    """
    try:
        return hold_database(database.engine)
    except InUseError as error:
        raise BlockingIOError(str(error)) from None


def table(found: AccessTokenList) -> str:
    """Return the tokens as lines of columns."""
    head = ("name", "role", "state", "source", "created", "expires", "last used")
    rows = [head]
    rows += [
        (
            one.name,
            one.role,
            one.state,
            one.source,
            _minute(one.created_at, "-"),
            _minute(one.expires_at, "-" if one.source == "environment" else "never"),
            _minute(one.last_used_at, "-"),
        )
        for one in found.tokens
    ]
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _minute(moment: str | None, nothing: str) -> str:
    return nothing if moment is None else f"{moment[:10]} {moment[11:16]} UTC"


def say(text: str) -> None:
    """Print a line for people on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Execute the command.

    Raises:
        BackendError: it cannot be done; the message says why.
    """
    options = parser().parse_args(arguments)
    command = TokenCommand(environ, options.data_dir, options.api)
    match options.verb:
        case "add":
            new = _new(options)
            created = command.run(lambda tokens: tokens.add(new), make=True)
            ends = _minute(created.token.expires_at, "")
            say(f"It expires on {ends}." if ends else "It does not expire.")
            say(f"Give this to {new.name}; it is shown only now:")
            sys.stdout.write(f"{created.secret}\n")
        case "list":
            found = command.run(lambda tokens: tokens.tokens())
            sys.stdout.write(
                f"{table(found)}\n"
                if found.tokens
                else "No tokens: everybody who reaches this Lossboard may do everything.\n"
            )
        case "revoke":
            ended = command.run(
                lambda tokens: tokens.revoke(options.name, last_admin=options.last_admin)
            )
            say(f"The token of {ended.name} is revoked; the name can be given again.")
        case _:
            sys.stdout.write("closed\n" if command.closed() else "open\n")


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run; a problem becomes plain lines on stderr and exit status 1, or 3 if no API answers."""
    if arguments and not arguments[0].startswith("-") and arguments[0] not in ACTIONS:
        return new_entry.main(["token", *arguments])
    try:
        run(arguments, environ)
    except ApiAwayError as error:
        say(f"lossboard: {error}")
        return EXIT_AWAY
    except HttpError as error:
        say(f"lossboard: {error.message}")
        return 1
    except (BackendError, OSError) as error:
        say(f"lossboard: {error}")
        return 1
    except SQLAlchemyError as error:
        say(f"lossboard: the database does not answer: {str(error).splitlines()[0]}")
        return 1
    return 0


def _new(options: argparse.Namespace) -> NewToken:
    """Return the token to be made.

    Raises:
        AdminError: something is wrong with it; all of it is told.
    """
    given = {"name": options.name, "role": options.role, "expires": options.expires}
    try:
        return NewToken.model_validate(given)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise AdminError(
            "; ".join(f"{problem['loc'][0]} {problem['msg']}" for problem in problems)
        ) from None
