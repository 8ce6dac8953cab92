"""The command line, read once into a frozen object.

The launcher's own way in where there is a sign-in: a token made at each start, in memory only.

With it the launcher asks which workers live and submits the first comparison. The API gets its
hash, beside the entries of people; no other process gets either.
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

TOKENS: Final = "LOSSBOARD_TOKENS"
TOKENS_FILE: Final = "LOSSBOARD_TOKENS_FILE"
NAME: Final = "lossboard launcher"


def has_sign_in(environ: Mapping[str, str]) -> bool:
    """Whether the API is told whom to let in."""
    return any(environ.get(name, "").strip() for name in (TOKENS, TOKENS_FILE))


def without_tokens(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for processes that have to let nobody in."""
    return {name: value for name, value in environ.items() if name not in {TOKENS, TOKENS_FILE}}


@dataclass(frozen=True)
class Entry:
    """What the launcher shows the API; no token where nobody needs one."""

    token: str = field(default="", repr=False)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Entry":
        """A new one for this start."""
        return cls(secrets.token_urlsafe(32) if has_sign_in(environ) else "")

    @property
    def headers(self) -> dict[str, str]:
        """Of its calls."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def api_environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """What the API is told of tokens: those of people, and this one's hash."""
        told = {name: environ[name] for name in (TOKENS, TOKENS_FILE) if name in environ}
        if self.token:
            hashed = hashlib.sha256(self.token.encode()).hexdigest()
            told[TOKENS] = f"{told.get(TOKENS, '')}\n{NAME}:editor:sha256={hashed}"
        return told


NOT_NEEDED: Final = Entry()
"""Where there is no sign-in."""


API_PORT, UI_PORT, BROKER_PORT = 8500, 8501, 8502


@dataclass(frozen=True)
class Options:
    """What to start and where."""

    data_dir: Path
    """Database, broker journal and worker token live here."""
    host: str = "127.0.0.1"
    """Address on which the dashboard and the API listen; the broker stays on loopback."""
    api_port: int = API_PORT
    ui_port: int = UI_PORT
    broker_port: int = BROKER_PORT
    workers: int | None = None
    """Worker slots; None decides from the machine."""
    browser: bool = True
    """Open the dashboard once all is ready."""
    demo: bool = True
    """Submit the first comparison when there is none."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parser() -> argparse.ArgumentParser:
    """The launcher's command line: `up` starts everything, `check` says what is missing."""
    top = argparse.ArgumentParser(
        prog="python -m launcher",
        description="Start Lossboard, or use it from the command line.",
        epilog="submit, watch, list, export and report speak to a Lossboard that runs; migrate, "
        "copy, backup and restore look after its database; token makes a token. "
        "Each has its own --help.",
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
        command.add_argument("--broker-port", type=_port, default=BROKER_PORT, metavar="B")
    up.add_argument("--workers", type=_count, metavar="N", help="default: from the machine")
    up.add_argument("--no-browser", action="store_true", help="open no browser")
    up.add_argument("--no-demo", action="store_true", help="submit no first comparison")
    up.add_argument(
        "--insecure",
        action="store_true",
        help="allow a --host that others can reach although LOSSBOARD_TOKENS is not set",
    )
    return top


def options_from(arguments: argparse.Namespace, environ: Mapping[str, str]) -> Options:
    """The options of a parsed command line.

    Raises:
        OptionsError: two processes share a port, or others could reach the dashboard without
            a sign-in and without `--insecure`.
    """
    ports = (arguments.api_port, arguments.ui_port, arguments.broker_port)
    if len(set(ports)) < len(ports):
        raise OptionsError("--api-port, --ui-port and --broker-port must differ from one another")
    open_to_all = not is_loopback(arguments.host) and not has_sign_in(environ)
    if open_to_all and not getattr(arguments, "insecure", True):
        raise OptionsError(
            f"refusing to listen on {arguments.host}: without LOSSBOARD_TOKENS there is no "
            "sign-in, so whoever reaches that address could run and delete everything; "
            "`python -m launcher token NAME ROLE` makes an entry for it; or add --insecure if the "
            "network is yours alone"
        )
    folder = arguments.data_dir or Path(environ.get("LOSSBOARD_DATA_DIR", "data"))
    return Options(
        data_dir=folder.expanduser().resolve(),
        host=arguments.host,
        api_port=arguments.api_port,
        ui_port=arguments.ui_port,
        broker_port=arguments.broker_port,
        workers=getattr(arguments, "workers", None),
        browser=not getattr(arguments, "no_browser", False),
        demo=not getattr(arguments, "no_demo", False),
    )


def parse(arguments: Sequence[str], environ: Mapping[str, str]) -> tuple[str, Options]:
    """The command's name and its options."""
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
