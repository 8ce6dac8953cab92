"""Starts the stages of a plan, keeps each process alive, and stops them in reverse order."""

import asyncio
import time
from collections.abc import Sequence

from launcher.console import Say, StartError
from launcher.processes.plan import Process
from launcher.processes.process import Running

START_S = 60.0
"""How long a process may take to be ready."""
POLL_S = 0.05
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
"""Back-off before a restart: doubles from the first to the longest."""
STEADY_S = 10.0
"""A process that lived this long starts over with the first pause."""
STOP_S = (4.1, 4.6, 4.9)
"""Deadlines since the request to stop: for the last stage, the one before, and the first."""


class Supervisor:
    """Owns the running processes of one plan."""

    def __init__(self, stages: Sequence[Sequence[Process]], say: Say) -> None:
        self._stages = stages
        self._say = say
        self._running: dict[str, Running] = {}
        self._watchers: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start stage after stage; a process that later ends is started again.

        Raises:
            StartError: a process ended or did not answer before it was ready. What had started
                is left running: call `stop`.
        """
        for stage in self._stages:
            try:
                async with asyncio.TaskGroup() as group:
                    for spec in stage:
                        group.create_task(self._first_start(spec))
            except ExceptionGroup as several:
                raise several.exceptions[0] from None

    async def stop(self) -> None:
        """End all processes, the last stage first; whoever is late is killed with its group."""
        begun = time.monotonic()
        for task in self._watchers:
            task.cancel()
        deadlines = [*STOP_S, *[STOP_S[-1]] * len(self._stages)]
        for stage, deadline in zip(reversed(self._stages), deadlines, strict=False):
            group = [self._running[spec.name] for spec in stage if spec.name in self._running]
            for running in group:
                running.terminate()
            if waits := [asyncio.create_task(running.wait()) for running in group]:
                await asyncio.wait(waits, timeout=max(0.0, begun + deadline - time.monotonic()))
                for running in group:
                    if not running.ended:
                        self._say(f"{running.spec.name} did not end in time; killed")
                        running.kill()
                await asyncio.wait(waits)
        await asyncio.gather(*(running.close() for running in self._running.values()))
        self._running.clear()

    def kill(self) -> None:
        """End everything now; for a second Ctrl-C."""
        for running in self._running.values():
            running.kill()

    async def _first_start(self, spec: Process) -> None:
        running = await self._launch(spec)
        problem = await self._until_ready(running)
        if problem:
            await running.drain()  # its last words, before the verdict
            raise StartError(f"{spec.name} {problem}; its last lines above say why")
        took = time.monotonic() - running.started
        self._say(f"{spec.name:<9} pid {running.pid:<8} {spec.where:<28} ready in {took:.1f} s")
        self._watchers.append(asyncio.create_task(self._keep_alive(running)))

    async def _launch(self, spec: Process) -> Running:
        running = await Running.start(spec, self._say)
        self._running[spec.name] = running
        return running

    async def _until_ready(self, running: Running) -> str | None:
        """Poll until it answers; what went wrong, or None."""
        while time.monotonic() < running.started + START_S:
            if running.ended:
                return f"ended before it was ready ({running.status})"
            if await running.spec.ready():
                return None
            await asyncio.sleep(POLL_S)
        return f"did not answer within {START_S:.0f} s"

    async def _keep_alive(self, running: Running) -> None:
        """Start a process again whenever it ends, with growing pauses while it keeps ending."""
        pause = FIRST_PAUSE_S
        while True:
            await running.wait()
            await running.close()
            del self._running[running.spec.name]
            if time.monotonic() - running.started >= STEADY_S:
                pause = FIRST_PAUSE_S
            spec = running.spec
            self._say(f"{spec.name} ended ({running.status}); starting it again in {pause:.1f} s")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
            running = await self._launch(spec)
            self._say(f"{spec.name:<9} pid {running.pid:<8} {spec.where:<28} started again")
