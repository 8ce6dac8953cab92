"""Threads of their own for calls that write.

A handler that is a plain function runs in the server's pool of threads. While another program has
locked the database, a call that writes keeps its thread until its patience ends. So these calls get
a limited number of threads, for which they queue without one, and calls that read always find one.
The time in that queue is part of a call's patience.
"""

import math
import time
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Final, ParamSpec, TypeVar

import anyio
from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from backend.db.database import WAIT_S, BusyError, patience_s

WRITERS: Final = 8
"""Threads that write, or wait for their turn to write: one at a time can."""
PROMPT_WAIT_S: Final = 1.0
"""Patience of a call whose caller gives up soon: a worker that asks for a run waits 2 s. A run that
it got after that would belong to nobody."""

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
_turns: Final[RunVar[CapacityLimiter]] = RunVar("writers")
_threads: Final[RunVar[CapacityLimiter]] = RunVar("writers' threads")


def writes(handler: Callable[Parameters, Result]) -> Callable[Parameters, Awaitable[Result]]:
    """Make a handler that writes run in one of the threads for that."""
    return writes_within(None)(handler)


def writes_within(
    wait_s: float | None,
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Awaitable[Result]]]:
    """The same with another patience."""

    def decorate(handler: Callable[Parameters, Result]) -> Callable[Parameters, Awaitable[Result]]:
        @wraps(handler)
        async def run(*args: Parameters.args, **named: Parameters.kwargs) -> Result:
            return await run_write(partial(handler, *args, **named), wait_s)

        return run

    return decorate


async def run_write(write: Callable[[], Result], wait_s: float | None = None) -> Result:
    """Call a function that writes in one of the threads for that; return its result.

    Args:
        write: the function.
        wait_s: how long it may wait for its turn, here and in the database; None for WAIT_S.

    Raises:
        BusyError: its turn did not come in time.
    """
    turns, ticket, began = _limiter(_turns, WRITERS), object(), time.monotonic()
    wait_s = WAIT_S if wait_s is None else wait_s
    with anyio.move_on_after(wait_s) as waiting:
        await turns.acquire_on_behalf_of(ticket)
    if waiting.cancelled_caught:
        raise BusyError("the writes before this one have not ended in time")
    try:
        before = patience_s.set(began + wait_s - time.monotonic())
        try:
            return await to_thread.run_sync(write, limiter=_limiter(_threads, math.inf))
        finally:
            patience_s.reset(before)
    finally:
        turns.release_on_behalf_of(ticket)


def _limiter(of_loop: RunVar[CapacityLimiter], size: float) -> CapacityLimiter:
    """Return the limiter of the running event loop."""
    try:
        return of_loop.get()
    except LookupError:
        made = CapacityLimiter(size)
        of_loop.set(made)
        return made
