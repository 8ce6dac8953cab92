"""`python -m launcher up`: from nothing to a running dashboard, and back on a signal.

The first comparison, so that a new dashboard opens on curves that grow.
"""

import asyncio
import os
import signal
import webbrowser
from collections.abc import Mapping
from typing import Any

from launcher.console import LauncherError, Say, chosen
from launcher.machine import (
    broker_binary,
    cores,
    gpu_count,
    has_display,
    held,
    require_free,
    slots,
    torch_threads,
    worker_token,
)
from launcher.options import NOT_NEEDED, Entry, Options
from launcher.processes import plan
from launcher.processes.plan import get_json
from launcher.processes.supervisor import Supervisor

PRESET = "digits"
WAIT_S = 10.0


class DemoError(LauncherError):
    """The API did not take the first comparison."""


def submit_first(api_url: str, headers: Mapping[str, str]) -> str | None:
    """Submit the demo preset if there is no comparison yet; blocks.

    Args:
        api_url: where the API is.
        headers: of each call; where there is a sign-in, those that let the launcher in.

    Returns:
        The new comparison's id, or None where comparisons exist already.

    Raises:
        DemoError: the API does not answer, or has no such preset, or refuses it.
    """
    base = f"{api_url}/api/v1"

    def ask(path: str, post: object = None) -> Any:
        return get_json(f"{base}{path}", post=post, wait_s=WAIT_S, headers=headers)

    try:
        if ask("/comparisons?page_size=1")["total"]:
            return None
        presets: list[dict[str, Any]] = ask("/catalogue")["presets"]
        spec = next(preset["spec"] for preset in presets if preset["id"] == PRESET)
        return str(ask("/comparisons", spec)["id"])
    except (OSError, ValueError, KeyError, StopIteration) as error:
        raise DemoError(f"the first comparison was not submitted: {error!r}") from error


def page_of(ui_url: str, comparison: str | None) -> str:
    """The address to open: the comparison's page, or the dashboard."""
    return ui_url if comparison is None else f"{ui_url}/comparison?id={comparison}"


def open_page(url: str) -> None:
    """Open the browser where there is a screen; blocks."""
    if has_display():
        webbrowser.open(url)


def run(options: Options) -> int:
    """Start everything and stay until a signal. Returns the exit status.

    Raises:
        LauncherError: something is in the way; nothing is left running.
    """
    say = chosen(os.environ)
    external = bool(os.environ.get("REDIS_URL"))
    require_free(plan.ports_of(options, embedded=not external))
    binary = None if external else broker_binary()
    with held(options.data_dir):
        entry = Entry.of(os.environ)
        worker_slots = slots(options.workers, gpu_count(), cores())
        made = plan.make(
            options,
            slots=worker_slots,
            threads=torch_threads(len(worker_slots), cores()),
            token=worker_token(options.data_dir, os.environ),
            broker=binary,
            environ=os.environ,
            entry=entry,
        )
        asyncio.run(supervise(made, options, say, entry))
    return 0


async def supervise(made: plan.Plan, options: Options, say: Say, entry: Entry = NOT_NEEDED) -> None:
    """Start a plan, keep it alive, and stop it on SIGTERM, SIGINT or SIGHUP; a second one kills.

    Raises:
        StartError: a process did not become ready; all are stopped.
    """
    supervisor = Supervisor(made.stages, say)
    stopped = asyncio.Event()

    def on_signal() -> None:
        if stopped.is_set():
            supervisor.kill()
        stopped.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, on_signal)
    starting = asyncio.create_task(_start(supervisor, made, options, say, entry))
    stopping = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()  # raises what went wrong
            await stopping
        starting.cancel()
        say("stopping")
    finally:
        stopping.cancel()
        await supervisor.stop()


async def _start(
    supervisor: Supervisor, made: plan.Plan, options: Options, say: Say, entry: Entry
) -> None:
    await supervisor.start()
    comparison = None
    if options.demo:
        try:
            comparison = await asyncio.to_thread(submit_first, made.api_url, entry.headers)
        except DemoError as refused:
            say(str(refused))
    page = page_of(made.ui_url, comparison)
    say(f"data      {options.data_dir}")
    if comparison:
        say(f"demo      {page}")
    say(f"dashboard {made.ui_url}   (Ctrl-C stops everything)")
    if options.browser:
        await asyncio.to_thread(open_page, page)
