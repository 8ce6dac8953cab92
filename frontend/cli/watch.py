"""Following a comparison's runs to their end."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from frontend.api.client import Api
from frontend.api.types import ComparisonDetail
from frontend.cli.output import AWAY, FAILED, FINE, Progress, plain, say
from frontend.errors import ApiAwayError, MissingError
from frontend.ui.text import OPEN_STATES, duration

EVERY_S: Final = 1.0


@dataclass(frozen=True)
class Clock:
    """Time, as tests can turn it."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def watch(api: Api, comparison: str, *, patience: float, clock: Clock | None = None) -> int:
    """Show a comparison's progress until its runs have ended; the exit status.

    Args:
        api: the client.
        comparison: its id.
        patience: seconds for which the API may be away.
        clock: the real one unless given.

    Raises:
        MissingError: there is none of that id at first.
        KeyboardInterrupt: runs go on.
    """
    clock = clock or Clock()
    bar = Progress(sys.stderr)
    known = False
    away_since: float | None = None
    try:
        while True:
            try:
                found = api.comparison(comparison)
            except ApiAwayError as error:
                if away_since is None:
                    away_since = clock.now()
                    bar.end()
                    say(f"{error.message} Trying again for {patience:g} s; runs go on.")
                if clock.now() - away_since >= patience:
                    return AWAY
                clock.sleep(EVERY_S)
                continue
            if away_since is not None:
                say("The API is back.")
                away_since = None
            known = True
            bar.show(*_line(found))
            if found["state"] not in OPEN_STATES:
                bar.end()
                return _ended(api, found)
            clock.sleep(EVERY_S)
    except MissingError:
        if not known:
            raise
        bar.end()
        say(f"{comparison} was deleted meanwhile.")
        return FAILED
    finally:
        bar.end()


def _line(found: ComparisonDetail) -> tuple[str, float, str]:
    runs = found["runs"]
    total = sum(runs.values())
    done = total - runs["queued"] - runs["running"]
    lost = runs["failed"] + runs["cancelled"]
    head = f"{done} of {total} runs" + (f", {lost} not succeeded" if lost else "")
    if found["state"] not in OPEN_STATES:
        return head, found["progress"], found["state"]
    if found["state"] == "queued":
        return head, found["progress"], "waits for a worker"
    eta = found["eta_s"]
    return head, found["progress"], "" if eta is None else f"{duration(eta)} left"


def _ended(api: Api, found: ComparisonDetail) -> int:
    """Say what did not succeed, and why."""
    if found["state"] == "succeeded":
        return FINE
    for run in api.runs(found["id"]):
        if run["state"] != "succeeded":
            error = run["error"]
            why = f": {plain(error['message'])} {plain(error['cause'])}" if error else ""
            say(f"{plain(run['arm'])}, seed {run['seed']}: {run['state']}{why}")
    return FAILED
