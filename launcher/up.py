"""`python -m launcher up`: start everything, submit a first comparison, stop on a signal.

The first comparison lets a new dashboard open on curves that grow.
"""

import asyncio
import os
import signal
import webbrowser
from collections.abc import Mapping
from typing import Any

from launcher.console import LauncherError, PrintLine, SettingsError, line_printer
from launcher.machine import (
    broker_binary,
    cores,
    gpu_count,
    has_display,
    lock_data_folder,
    require_free_ports,
    room_warning,
    torch_threads,
    worker_slots,
    worker_token,
)
from launcher.options import NO_TOKEN, LauncherToken, Options
from launcher.processes.plan import Plan, build_plan, get_json, required_ports
from launcher.processes.settings import setting_problems
from launcher.processes.sign_in import require_sign_in
from launcher.processes.supervisor import Supervisor

ADDRESS_FILE = "api-address"
"""File of the data folder in which `token add` and the like find the API."""
DEMO_PRESET = "digits"
API_TIMEOUT_S = 10.0


class DemoError(LauncherError):
    """The first comparison was not submitted."""


def run(options: Options) -> int:
    """Start everything and run until a signal comes. Returns the exit status.

    Raises:
        LauncherError: something cannot start; no process is left running.
    """
    print_line = line_printer(os.environ)
    os.umask(0o077)  # what this and all processes write is for this user only
    external = bool(os.environ.get("REDIS_URL"))
    require_free_ports(required_ports(options, embedded=not external))
    binary = None if external else broker_binary()
    if problems := setting_problems(options, os.environ):
        raise SettingsError("\n".join(["settings cannot be used:", *problems]))
    require_sign_in(options, os.environ)
    with lock_data_folder(options.data_dir):
        if warning := room_warning(options.data_dir):
            print_line(f"warning   {warning}")
        launcher_token = LauncherToken.create()
        slots = worker_slots(options.workers, gpu_count(), cores())
        plan = build_plan(
            options,
            slots=slots,
            threads=torch_threads(len(slots), cores()),
            token=worker_token(options.data_dir, os.environ),
            broker_binary=binary,
            environ=os.environ,
            launcher_token=launcher_token,
        )
        (options.data_dir / ADDRESS_FILE).write_text(plan.api_url, encoding="utf-8")
        asyncio.run(supervise(plan, options, print_line, launcher_token))
    return 0


async def supervise(
    plan: Plan, options: Options, print_line: PrintLine, launcher_token: LauncherToken = NO_TOKEN
) -> None:
    """Start a plan, keep it alive, and stop it on SIGTERM, SIGINT or SIGHUP.

    A second signal kills all processes.

    Raises:
        StartError: a process did not become ready; all are stopped.
    """
    supervisor = Supervisor(plan.stages, print_line)
    stopped = asyncio.Event()

    def on_signal() -> None:
        if stopped.is_set():
            supervisor.kill()
        stopped.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, on_signal)
    starting = asyncio.create_task(_start(supervisor, plan, options, print_line, launcher_token))
    stopping = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()  # raises the error of a failed start
            await stopping
        starting.cancel()
        print_line("stopping")
    finally:
        stopping.cancel()
        await supervisor.stop()


async def _start(
    supervisor: Supervisor,
    plan: Plan,
    options: Options,
    print_line: PrintLine,
    launcher_token: LauncherToken,
) -> None:
    await supervisor.start()
    comparison = None
    if options.demo:
        try:
            comparison = await asyncio.to_thread(submit_demo, plan.api_url, launcher_token.headers)
        except DemoError as error:
            print_line(str(error))
    page = page_url(plan.ui_url, comparison)
    print_line(f"data      {options.data_dir}")
    if comparison:
        print_line(f"demo      {page}")
    print_line(f"dashboard {plan.ui_url}   (Ctrl-C stops everything)")
    if options.browser:
        await asyncio.to_thread(open_browser, page)


def submit_demo(api_url: str, headers: Mapping[str, str]) -> str | None:
    """Submit the demo preset if there is no comparison yet; blocks.

    Args:
        api_url: where the API is.
        headers: headers of each call; where there is a sign-in, with the launcher's token.

    Returns:
        The new comparison's id, or None if comparisons exist already.

    Raises:
        DemoError: the API does not answer, has no such preset, or refuses it.
    """
    base = f"{api_url}/api/v1"

    def ask(path: str, post: object = None) -> Any:
        return get_json(f"{base}{path}", post=post, timeout_s=API_TIMEOUT_S, headers=headers)

    try:
        if ask("/comparisons?page_size=1")["total"]:
            return None
        presets: list[dict[str, Any]] = ask("/catalogue")["presets"]
        spec = next(preset["spec"] for preset in presets if preset["id"] == DEMO_PRESET)
        return str(ask("/comparisons", spec)["id"])
    except (OSError, ValueError, KeyError, StopIteration) as error:
        raise DemoError(f"the first comparison was not submitted: {error!r}") from error


def page_url(ui_url: str, comparison: str | None) -> str:
    """Return the address to open: the comparison's page, or the dashboard without one."""
    return ui_url if comparison is None else f"{ui_url}/comparison?id={comparison}"


def open_browser(url: str) -> None:
    """Open the browser if there is a display; blocks."""
    if has_display():
        webbrowser.open(url)
