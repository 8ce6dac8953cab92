"""Settings of the API's process: read from the environment once, in the entry, and handed on."""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    TypeAdapter,
    ValidationError,
)
from pydantic.dataclasses import dataclass

from backend.auth.tokens import LAUNCHER_NAME, NO_TOKENS, Tokens
from backend.db.sqlite_file import sqlite_url
from backend.errors import SettingsError
from backend.http.forwarded import NO_PROXIES, Proxies
from backend.http.hosts import parse_host_names
from backend.http.outgoing_hosts import NO_HOSTS, OutgoingHosts
from contract import logs
from contract.artifacts import KEEP_WEIGHTS, Keep, KeepWeights
from contract.settings import (
    DATA_ROOTS,
    DataRoots,
    problem,
    problem_lines,
    unknown_names,
    variable,
)

DATABASE_FILE: Final = "lossboard.sqlite"
"""Name of the database's file in the data folder."""


def _number(low: float, high: float, unit: str) -> BeforeValidator:
    """Parse the text of a variable as a number within bounds; code may pass any number."""

    def parse(value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            number = float(value)
        except ValueError:
            raise problem(f"is {value!r}; it must be a number of {unit}") from None
        if not low <= number <= high:
            raise problem(f"is {value}; it must lie between {low} and {high} {unit}")
        return number

    return BeforeValidator(parse)


def _whole(low: int, high: int, unit: str) -> BeforeValidator:
    """Parse the text of a variable as a whole number within bounds; code may pass any number."""

    def parse(value: object) -> object:
        if not isinstance(value, str):
            return value
        if not value.isdecimal() or len(value) > 18:
            raise problem(f"is {value!r}; it must be a whole number of {unit}")
        if not low <= int(value) <= high:
            raise problem(f"is {value}; it must lie between {low} and {high} {unit}")
        return int(value)

    return BeforeValidator(parse)


def _base_path(text: object) -> object:
    if text == "":
        return text
    if not isinstance(text, str) or not _BASE_PATH.fullmatch(text):
        raise problem(
            f"is {text!r}; it must be a path like /lossboard: a slash first, none at the end, and "
            "letters, digits, '.', '_', '~' or '-' between"
        )
    if (first := text.split("/")[1]) in OWN_NAMES:
        raise problem(f"is {text!r}; /{first} is an address of the API itself: choose another")
    return text


_BASE_PATH: Final = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
OWN_NAMES: Final = frozenset({"api", "docs", "openapi.json"})
"""First parts of the API's own addresses. A base path that begins with one could not be told from
them where the proxy removes it."""


def _starting_with(*schemes: str) -> AfterValidator:
    """Refuse an address that begins with none of these."""

    def check(address: str) -> str:
        if not address.startswith(schemes):
            # The address itself may contain a password.
            raise problem(f"must begin with {' or '.join(schemes)}")
        return address

    return AfterValidator(check)


def _keep_weights(name: object) -> object:
    if name not in KEEP_WEIGHTS:
        raise problem(f"is {name!r}; known are {', '.join(KEEP_WEIGHTS)}")
    return name


def _log_format(name: object) -> object:
    if name not in logs.FORMATS:
        raise problem(f"is {name!r}; known are {', '.join(logs.FORMATS)}")
    return name


def _host_names(names: object) -> object:
    if not isinstance(names, str):
        return names
    try:
        return parse_host_names(names)
    except ValueError as error:
        raise problem(str(error)) from None


def _proxies(addresses: object) -> object:
    if not isinstance(addresses, str):
        return addresses
    try:
        return Proxies.parse(addresses)
    except ValueError as error:
        raise problem(str(error)) from None


def _alert_hosts(names: object) -> object:
    if not isinstance(names, str):
        return names
    try:
        return OutgoingHosts.parse(names)
    except ValueError as error:
        raise problem(str(error)) from None


def _public_url(text: object) -> object:
    if text == "":
        return text
    if not isinstance(text, str) or not _PUBLIC_URL.fullmatch(text):
        raise problem(
            f"is {text!r}; it must be the dashboard's address, such as https://board.example.org "
            "or http://127.0.0.1:8501/lossboard"
        )
    return text.rstrip("/")


_PUBLIC_URL: Final = re.compile(
    r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?"
)


@dataclass(frozen=True, config=ConfigDict(validate_by_name=True, validate_by_alias=True))
class Settings:
    """Settings of one API process; code and tests may make them without an environment."""

    data_dir: Annotated[Path, variable("LOSSBOARD_DATA_DIR")]
    """Folder for everything kept on disk; created at the start. Default ./data."""
    database_url: Annotated[
        str,
        variable("LOSSBOARD_DATABASE_URL"),
        _starting_with("sqlite://", "postgresql+psycopg://"),
    ]
    """Default: a SQLite file in the data folder."""
    redis_url: Annotated[
        str, variable("REDIS_URL"), _starting_with("redis://", "rediss://", "unix://")
    ]
    """Broker and event stream; default: a Redis on this machine."""
    worker_token: Annotated[str, variable("LOSSBOARD_WORKER_TOKEN")] = field(repr=False)
    """Secret shared with the workers; required."""
    lease_s: Annotated[float, variable("LOSSBOARD_LEASE_S"), _number(0.1, 3600, "seconds")] = 10.0
    """Seconds without a heartbeat after which a run may be given to another worker."""
    max_upload_mb: Annotated[
        float, variable("LOSSBOARD_MAX_UPLOAD_MB"), _number(1, 1_000_000, "MB")
    ] = 2048.0
    """The largest data set that may be uploaded, in MB of 1,000,000 bytes."""
    most_trials: Annotated[int, variable("LOSSBOARD_MOST_TRIALS"), _whole(1, 20_000, "runs")] = (
        2_000
    )
    """Runs that one tuned comparison may have, those of its trials and the final ones. More than
    20,000 would be more ids than a statement may name."""
    tokens: Annotated[Tokens, variable("LOSSBOARD_TOKENS")] = NO_TOKENS
    """Tokens of the environment, of LOSSBOARD_TOKENS_FILE too; others are in the database."""
    launcher_token: Annotated[Tokens, variable("LOSSBOARD_LAUNCHER_TOKEN")] = NO_TOKENS
    """The launcher's own token, by its hash; it is accepted where there are others."""
    submits_per_min: Annotated[
        float,
        variable("LOSSBOARD_SUBMITS_PER_MIN"),
        _number(0, 1_000_000, "submits a minute, 0 for as many as one likes"),
    ] = 60.0
    """How much one person may submit, where there are tokens."""
    keep_raw_days: Annotated[
        float | None, variable("LOSSBOARD_KEEP_RAW_DAYS"), _number(1, 36_500, "days")
    ] = None
    """How long after a comparison's end every measured point is kept; None for ever."""
    keep_snapshot_days: Annotated[
        float | None, variable("LOSSBOARD_KEEP_SNAPSHOT_DAYS"), _number(1, 36_500, "days")
    ] = None
    """The same for all snapshots except the first and last of each run."""
    keep_weights: Annotated[
        KeepWeights, variable("LOSSBOARD_KEEP_WEIGHTS"), BeforeValidator(_keep_weights)
    ] = "best"
    """Which runs keep their weights when they succeed: `all`; `best`, of arms that train a whole
    backbone only the best seed; or `none`."""
    max_model_mb: Annotated[
        float, variable("LOSSBOARD_MAX_MODEL_MB"), _number(0, 1_000_000, "MB")
    ] = 512.0
    """The largest file that a run keeps of its model, in MB of 1,000,000 bytes."""
    data_roots: Annotated[DataRoots, variable(DATA_ROOTS)] = ()
    """Folders in which the files and folders that specs name must lie; none: anywhere."""
    base_path: Annotated[str, variable("LOSSBOARD_BASE_PATH"), BeforeValidator(_base_path)] = ""
    """The path under which a proxy serves the API, such as /lossboard; empty for none."""
    allowed_hosts: Annotated[
        frozenset[str], variable("LOSSBOARD_ALLOWED_HOSTS"), BeforeValidator(_host_names)
    ] = frozenset()
    """Names under which the API answers, besides IP addresses and this machine's names."""
    alert_hosts: Annotated[
        OutgoingHosts, variable("LOSSBOARD_ALERT_HOSTS"), BeforeValidator(_alert_hosts)
    ] = NO_HOSTS
    """Hosts to which alerts may be sent; none: they are not sent."""
    public_url: Annotated[str, variable("LOSSBOARD_PUBLIC_URL"), BeforeValidator(_public_url)] = ""
    """Where people open the dashboard, for links in alerts; empty: alerts have none."""
    host: Annotated[str, variable("LOSSBOARD_HOST")] = ""
    """What the launcher's --host names; empty if the API was started otherwise."""
    trusted_proxies: Annotated[
        Proxies, variable("LOSSBOARD_TRUSTED_PROXIES"), BeforeValidator(_proxies)
    ] = NO_PROXIES
    """Proxies whose word on the caller's address and on the host asked for is taken."""
    ui_secret: Annotated[str, variable("LOSSBOARD_UI_SECRET")] = field(default="", repr=False)
    """By which the UI's server proves itself when it tells the address of a visitor."""
    log_format: Annotated[str, variable(logs.FORMAT_VARIABLE), BeforeValidator(_log_format)] = (
        logs.FORMATS[0]
    )
    """text or json."""

    @property
    def max_upload(self) -> int:
        """The largest upload in bytes."""
        return int(self.max_upload_mb * 1_000_000)

    @property
    def keep(self) -> Keep:
        """What runs keep of their trained models."""
        return Keep(weights=self.keep_weights, limit_bytes=int(self.max_model_mb * 1_000_000))

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings; a variable that is empty counts as not set.

        Raises:
            SettingsError: a required variable is missing, a value is wrong or a name unknown; its
                text has a line for each.
        """
        given = {name: value for name, value in environ.items() if value}
        problems = unknown_names(given)
        data_dir = Path(given.get("LOSSBOARD_DATA_DIR", "data")).absolute()
        values: dict[str, object] = {
            "LOSSBOARD_DATABASE_URL": sqlite_url(data_dir / DATABASE_FILE),
            "REDIS_URL": "redis://127.0.0.1:6379/0",
            **given,
            "LOSSBOARD_DATA_DIR": data_dir,
            "LOSSBOARD_TOKENS": NO_TOKENS,
            "LOSSBOARD_LAUNCHER_TOKEN": NO_TOKENS,
        }
        for name, read in (
            ("LOSSBOARD_TOKENS", _tokens),
            ("LOSSBOARD_LAUNCHER_TOKEN", _launcher_token),
        ):
            try:
                values[name] = read(given)
            except SettingsError as error:
                problems.append(str(error))
        try:
            settings = TypeAdapter(cls).validate_python(values, by_alias=True, by_name=False)
        except ValidationError as error:
            problems += problem_lines(error, _MISSING)
        if problems:
            raise SettingsError("\n".join(problems))
        return settings


_MISSING: Final = {"LOSSBOARD_WORKER_TOKEN": "give API and workers the same secret"}
"""Of the only variable that has no default."""


def _tokens(given: Mapping[str, str]) -> Tokens:
    """Return the tokens of both variables.

    Raises:
        SettingsError: the file cannot be read, or there is no valid entry.
    """
    entries = given.get("LOSSBOARD_TOKENS", "")
    path = given.get("LOSSBOARD_TOKENS_FILE")
    if path:
        try:
            entries = f"{entries}\n{Path(path).read_text(encoding='utf-8')}"
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"LOSSBOARD_TOKENS_FILE {path} cannot be read: {error}") from None
    tokens = Tokens.parse(entries)
    if not tokens and (path or entries.strip()):  # set but empty: an open API was not meant
        raise SettingsError("LOSSBOARD_TOKENS has no entry name:role:token; add one or unset it")
    return tokens


def _launcher_token(given: Mapping[str, str]) -> Tokens:
    """Return the launcher's token; none where it did not start this process.

    Raises:
        SettingsError: it is not valid.
    """
    value = given.get("LOSSBOARD_LAUNCHER_TOKEN")
    try:
        return Tokens.parse(f"{LAUNCHER_NAME}:editor:{value}") if value else NO_TOKENS
    except SettingsError as error:
        raise SettingsError("LOSSBOARD_LAUNCHER_TOKEN is not sha256=<hex>") from error


if __name__ == "__main__":  # the launcher asks, before it starts anything
    try:
        Settings.from_environ(os.environ)
    except SettingsError as error:
        sys.exit(str(error))
