"""Sees every event that any trainer sends, whatever becomes of it, and whether two trainers had the
same work."""

import re
import threading
from collections import defaultdict
from typing import Any, Final

import redis

from contract.names import EVENT_STREAM

AGAIN_S: Final = 0.05
_RUN: Final = re.compile(r'"run":"(\w+)"')
_ATTEMPT: Final = re.compile(r'"attempt":(\d+)')
_SEQ: Final = re.compile(r'"seq":(\d+)')


class StreamWatch(threading.Thread):
    """Listens to all commands that the broker gets; comes back with it."""

    def __init__(self, url: str) -> None:
        super().__init__(name="watch", daemon=True)
        self.events = 0
        self.twice: set[tuple[str, int]] = set()
        """Attempts of which one message came with two contents: two trainers made them."""
        self.overlapped: set[str] = set()
        """Runs of which an attempt still spoke after the next one had begun to."""
        self._url = url
        self._stopped = threading.Event()
        self._bodies: dict[tuple[str, int, int], int] = {}
        self._newest: defaultdict[str, int] = defaultdict(int)

    def stop(self) -> None:
        """End it."""
        self._stopped.set()
        self.join()

    def run(self) -> None:
        """Listen until stopped."""
        while not self._stopped.wait(AGAIN_S):
            try:
                with redis.Redis.from_url(self._url, socket_timeout=0.5) as client:
                    self._listen(client)
            except redis.RedisError:
                continue  # killed on purpose, or silent for a moment

    def _listen(self, client: Any) -> None:
        with client.monitor() as monitor:
            while not self._stopped.is_set():
                seen: Any = monitor.next_command()
                command: str = seen["command"]
                if command.startswith(f"XADD {EVENT_STREAM}"):
                    self.see(command)

    def see(self, command: str) -> None:
        """One command that adds an event."""
        run, attempt, seq = (found.search(command) for found in (_RUN, _ATTEMPT, _SEQ))
        if not run or not attempt or not seq:
            return  # a supervisor's word of a lost attempt carries no number
        self.events += 1
        name, number = run[1], int(attempt[1])
        body = self._bodies.setdefault((name, number, int(seq[1])), hash(command))
        if body != hash(command):
            self.twice.add((name, number))
        if number < self._newest[name]:
            self.overlapped.add(name)
        self._newest[name] = max(self._newest[name], number)
