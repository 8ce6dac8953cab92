"""Start the stages of a plan, keep each process alive, and stop them in reverse order."""

import asyncio
import time
from collections.abc import Sequence

from launcher.console import PrintLine, StartError
from launcher.processes.plan import ProcessSpec
from launcher.processes.process import RunningProcess

START_TIMEOUT_S = 60.0
"""Seconds a process may take to be ready."""
POLL_INTERVAL_S = 0.05
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
"""Pause before a restart, in seconds: doubles from the first to the longest."""
STEADY_S = 10.0
"""After a process has run for so many seconds, its next restart waits for the first pause again."""
STOP_DEADLINES_S = (4.1, 4.6, 4.9)
"""Seconds after the request to stop at which a stage is killed: last stage, middle, first."""


class Supervisor:
    """The running processes of one plan."""

    def __init__(self, stages: Sequence[Sequence[ProcessSpec]], print_line: PrintLine) -> None:
        self._stages = stages
        self._print_line = print_line
        self._running: dict[str, RunningProcess] = {}
        self._watchers: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start one stage after the other; a process that ends later is started again.

        Raises:
            StartError: a process ended or did not answer before it was ready. The processes that
                had started still run: call `stop`.
        """
        for stage in self._stages:
            try:
                async with asyncio.TaskGroup() as group:
                    for spec in stage:
                        group.create_task(self._first_start(spec))
            except ExceptionGroup as several:
                raise several.exceptions[0] from None

    async def stop(self) -> None:
        """End all processes, the last stage first; kill those that are late, with their groups."""
        begun = time.monotonic()
        for task in self._watchers:
            task.cancel()
        deadlines = [*STOP_DEADLINES_S, *[STOP_DEADLINES_S[-1]] * len(self._stages)]
        for stage, deadline in zip(reversed(self._stages), deadlines, strict=False):
            group = [self._running[spec.name] for spec in stage if spec.name in self._running]
            for running in group:
                running.terminate()
            if waits := [asyncio.create_task(running.wait()) for running in group]:
                await asyncio.wait(waits, timeout=max(0.0, begun + deadline - time.monotonic()))
                for running in group:
                    if not running.ended:
                        self._print_line(f"{running.spec.name} did not end in time; killed")
                        running.kill()
                await asyncio.wait(waits)
        await asyncio.gather(*(running.close() for running in self._running.values()))
        self._running.clear()

    def kill(self) -> None:
        """Kill all processes at once, for a second Ctrl-C."""
        for running in self._running.values():
            running.kill()

    async def _first_start(self, spec: ProcessSpec) -> None:
        running = await self._launch(spec)
        problem = await self._until_ready(running)
        if problem:
            await running.drain()  # its last log lines come before the error
            raise StartError(f"{spec.name} {problem}; its last lines above say why")
        took = time.monotonic() - running.started
        self._print_line(
            f"{spec.name:<9} pid {running.pid:<8} {spec.where:<28} ready in {took:.1f} s"
        )
        self._watchers.append(asyncio.create_task(self._keep_alive(running)))

    async def _launch(self, spec: ProcessSpec) -> RunningProcess:
        running = await RunningProcess.start(spec, self._print_line)
        self._running[spec.name] = running
        return running

    async def _until_ready(self, running: RunningProcess) -> str | None:
        """Poll until the process is ready. Returns what went wrong, or None."""
        while time.monotonic() < running.started + START_TIMEOUT_S:
            if running.ended:
                return f"ended before it was ready ({running.status})"
            if await running.spec.ready():
                return None
            await asyncio.sleep(POLL_INTERVAL_S)
        return f"did not answer within {START_TIMEOUT_S:.0f} s"

    async def _keep_alive(self, running: RunningProcess) -> None:
        """Start a process again each time it ends, after longer pauses while it ends soon."""
        pause = FIRST_PAUSE_S
        while True:
            await running.wait()
            await running.close()
            del self._running[running.spec.name]
            if time.monotonic() - running.started >= STEADY_S:
                pause = FIRST_PAUSE_S
            spec = running.spec
            self._print_line(
                f"{spec.name} ended ({running.status}); starting it again in {pause:.1f} s"
            )
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
            running = await self._launch(spec)
            self._print_line(f"{spec.name:<9} pid {running.pid:<8} {spec.where:<28} started again")
