"""The bundled broker: its configuration file, its port and its password.

The password keeps the other users of this machine out, for they reach its loopback too. It stands
in files of the data folder and in environments, which only their owner can read, and never on a
command line, which all users of a machine can.
"""

import asyncio
import random
import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Final

from launcher.console import PortError
from launcher.machine import Port, kept_secret, port_problem

HOST: Final = "127.0.0.1"
PORTS: Final = range(10_000, 32_768)
"""Where a free port is looked for: above those of well-known servers, and below those from which
the kernel serves outgoing connections, one of which could take the port before the broker does."""
PASSWORD_FILE: Final = "broker-password"
CONFIG_FILE: Final = "valkey.conf"

START_NOISE: Final = ("Memory overcommit must be enabled",)
"""Of a line that the broker prints at each start on most machines: it concerns background saves,
which are switched off."""


def free_port() -> int:
    """Return a port of loopback on which nothing listens.

    Raises:
        PortError: none was found.
    """
    for number in random.sample(PORTS, 100):
        if port_problem(Port("broker", HOST, number, "--broker-port")) is None:
            return number
    raise PortError("no free port was found for the broker; name one with --broker-port")


def password(data_dir: Path) -> str:
    """Return the broker's password, which is made once and kept in the data folder."""
    return kept_secret(data_dir / PASSWORD_FILE)


def url(port: int, secret: str) -> str:
    """Return the address for clients; the secret needs no quoting."""
    return f"redis://:{secret}@{HOST}:{port}/0"


def write_config(data_dir: Path, port: int, secret: str) -> Path:
    """Write the broker's configuration file and return its path; only its owner can read it."""
    folder = data_dir / "broker"
    folder.mkdir(mode=0o700, exist_ok=True)
    settings = {
        "bind": HOST,
        "port": str(port),
        "requirepass": secret,
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    path = folder / CONFIG_FILE
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text("".join(f"{key} {_quoted(value)}\n" for key, value in settings.items()))
    return path


def path_argument(config: Path) -> str:
    """Return how the broker's command line names its file: it takes * ? [ for a pattern."""
    path = str(config)
    is_pattern = re.search(r"[*?\[]", path)
    return re.sub(r"([*?\[\\])", r"\\\1", path) if is_pattern else path


def _quoted(value: str) -> str:
    """Quote a value for the configuration file: each byte that may mean something as \\xHH."""
    return '"' + "".join(_escaped(byte) for byte in value.encode()) + '"'


def _escaped(byte: int) -> str:
    plain = chr(byte).isascii() and (chr(byte).isalnum() or chr(byte) in "/._-")
    return chr(byte) if plain else f"\\x{byte:02x}"


def probe(port: int, secret: str, timeout_s: float) -> Callable[[], Coroutine[None, None, bool]]:
    """Return a probe that is true once the broker takes the password and answers PONG.

    While it loads its journal it gives another answer.
    """

    async def ask() -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                reader, writer = await asyncio.open_connection(HOST, port)
                try:
                    writer.write(f"AUTH {secret}\r\nPING\r\n".encode())
                    accepted = (await reader.readline()).startswith(b"+OK")
                    return accepted and (await reader.readline()).startswith(b"+PONG")
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False

    return ask
