"""The system's redis-server, which a test may stop and start."""

import shutil
import subprocess
from pathlib import Path

import redis

from tests.support.ports import free_ports
from tests.support.waiting import until


class RedisServer:
    """redis-server on a loopback port, with its own folder; it loses all data when it stops."""

    def __init__(self, folder: Path) -> None:
        binary = shutil.which("redis-server")
        assert binary, "redis-server is missing: apt-get install redis-server"
        [self._port] = free_ports(1)
        self._command = [binary, "--port", str(self._port), "--bind", "127.0.0.1"]
        self._command += ["--dir", str(folder), "--save", "", "--appendonly", "no"]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address for clients."""
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        until(self._answers, "redis-server", timeout=10)

    def stop(self) -> None:
        """Kill it with signal 9; all its data is lost."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False
