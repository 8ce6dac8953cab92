"""The launcher's command line as a frozen object, and the launcher's own API token.

The launcher makes a token at each start and keeps it in memory only. Where Lossboard has a sign-in,
it needs the token to ask which workers are alive and to submit the first comparison. The API gets
the hash of the token in a variable of its own, which alone demands no sign-in; no other process
gets the token or the hash.
"""

import argparse
import hashlib
import ipaddress
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from launcher.console import OptionsError

TOKENS_VARIABLE: Final = "LOSSBOARD_TOKENS"
TOKENS_FILE_VARIABLE: Final = "LOSSBOARD_TOKENS_FILE"
LAUNCHER_TOKEN_VARIABLE: Final = "LOSSBOARD_LAUNCHER_TOKEN"
PEOPLE_VARIABLES: Final = (TOKENS_VARIABLE, TOKENS_FILE_VARIABLE)


def names_tokens(environ: Mapping[str, str]) -> bool:
    """Return whether the environment has tokens of people; others may be in the database."""
    return any(environ.get(name, "").strip() for name in PEOPLE_VARIABLES)


def without_tokens(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for processes that check no tokens."""
    return {
        name: value
        for name, value in environ.items()
        if name not in {*PEOPLE_VARIABLES, LAUNCHER_TOKEN_VARIABLE}
    }


@dataclass(frozen=True)
class LauncherToken:
    """The token with which the launcher calls the API; empty where there is none."""

    value: str = field(default="", repr=False)

    @classmethod
    def create(cls) -> "LauncherToken":
        """Make a new token."""
        return cls(secrets.token_urlsafe(32))

    @property
    def headers(self) -> dict[str, str]:
        """HTTP headers for the launcher's calls to the API."""
        return {"Authorization": f"Bearer {self.value}"} if self.value else {}

    def api_environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the API's variables for tokens: those of people, and the hash of this one."""
        variables = {name: environ[name] for name in PEOPLE_VARIABLES if name in environ}
        if self.value:
            hashed = hashlib.sha256(self.value.encode()).hexdigest()
            variables[LAUNCHER_TOKEN_VARIABLE] = f"sha256={hashed}"
        return variables


NO_TOKEN: Final = LauncherToken()
"""The empty token."""

API_PORT, UI_PORT = 8500, 8501


@dataclass(frozen=True)
class Options:
    """What to start and where."""

    data_dir: Path
    """Folder of the database, the broker's journal and the worker token."""
    host: str = "127.0.0.1"
    """Address on which the dashboard and the API listen; the broker listens on loopback only."""
    insecure: bool = False
    """Whether others may reach that address although there is no sign-in."""
    api_port: int = API_PORT
    ui_port: int = UI_PORT
    broker_port: int | None = None
    """None takes any free port."""
    workers: int | None = None
    """Number of worker slots; None decides from the machine."""
    browser: bool = True
    """Whether to open the dashboard in a browser once all is ready."""
    demo: bool = True
    """Whether to submit a first comparison when there is none."""


def without_brackets(host: str) -> str:
    """Return an IPv6 address as sockets take it: `::1` for the `[::1]` of a URL."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parser() -> argparse.ArgumentParser:
    """Build the parser: `up` starts everything, `check` says what is missing."""
    top = argparse.ArgumentParser(
        prog="python -m launcher",
        description="Start Lossboard, or use it from the command line.",
        epilog="submit, watch, list, verdict, export and report speak to a Lossboard that runs; "
        "migrate, copy, backup and restore look after its database; token makes, lists and revokes "
        "tokens. Each has its own --help.",
    )
    commands = top.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start everything and open the dashboard")
    check = commands.add_parser("check", help="say what is missing, start nothing")
    for command in (up, check):
        command.add_argument(
            "--data-dir", type=Path, metavar="D", help="default: $LOSSBOARD_DATA_DIR or ./data"
        )
        command.add_argument("--host", default="127.0.0.1", metavar="H")
        command.add_argument("--api-port", type=_port, default=API_PORT, metavar="P")
        command.add_argument("--ui-port", type=_port, default=UI_PORT, metavar="U")
        command.add_argument(
            "--broker-port", type=_port, metavar="B", help="default: any that is free"
        )
    up.add_argument("--workers", type=_count, metavar="N", help="default: from the machine")
    up.add_argument("--no-browser", action="store_true", help="open no browser")
    up.add_argument("--no-demo", action="store_true", help="submit no first comparison")
    up.add_argument(
        "--insecure",
        action="store_true",
        help="allow a --host that others can reach although there are no tokens",
    )
    return top


def options_from(arguments: argparse.Namespace, environ: Mapping[str, str]) -> Options:
    """Return the options of a parsed command line.

    Raises:
        OptionsError: two processes share a port.
    """
    ports = [arguments.api_port, arguments.ui_port]
    if arguments.broker_port is not None:
        ports.append(arguments.broker_port)
    if len(set(ports)) < len(ports):
        raise OptionsError("--api-port, --ui-port and --broker-port must differ from one another")
    host = without_brackets(arguments.host)
    folder = arguments.data_dir or Path(environ.get("LOSSBOARD_DATA_DIR", "data"))
    return Options(
        data_dir=folder.expanduser().resolve(),
        host=host,
        api_port=arguments.api_port,
        ui_port=arguments.ui_port,
        broker_port=arguments.broker_port,
        insecure=getattr(arguments, "insecure", False),
        workers=getattr(arguments, "workers", None),
        browser=not getattr(arguments, "no_browser", False),
        demo=not getattr(arguments, "no_demo", False),
    )


def parse(arguments: Sequence[str], environ: Mapping[str, str]) -> tuple[str, Options]:
    """Parse a command line into the command's name and its options."""
    parsed = parser().parse_args(arguments)
    return str(parsed.command), options_from(parsed, environ)


def _port(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port (1 to 65535)")
    return number


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 256:
        raise argparse.ArgumentTypeError(f"{text} is not a number of workers (1 to 256)")
    return number
