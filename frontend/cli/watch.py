"""Follow the runs of a comparison to their end."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from frontend.api.client import Api
from frontend.api.types import ComparisonDetail, Run
from frontend.cli.output import (
    EXIT_API_AWAY,
    EXIT_OK,
    EXIT_RUN_FAILED,
    Progress,
    print_message,
    printable,
)
from frontend.comparison.tuning.texts import own_runs, phase_text
from frontend.errors import ApiAwayError, MissingError
from frontend.ui.text import OPEN_STATES, duration, ordinal, start_text
from frontend.ui.training_states import warned

READ_EVERY_S: Final = 1.0


@dataclass(frozen=True)
class Clock:
    """The time functions, which tests replace."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def watch(api: Api, comparison: str, *, patience: float, clock: Clock | None = None) -> int:
    """Show a comparison's progress until its runs have ended. Returns the exit status.

    Args:
        api: the client.
        comparison: id of the comparison.
        patience: seconds for which the API may be away.
        clock: the time functions; the real ones by default.

    Raises:
        MissingError: there is no comparison with this id.
        KeyboardInterrupt: the user pressed Ctrl-C; the runs go on.
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
                    print_message(f"{error.message} Trying again for {patience:g} s; runs go on.")
                if clock.now() - away_since >= patience:
                    return EXIT_API_AWAY
                clock.sleep(READ_EVERY_S)
                continue
            if away_since is not None:
                print_message("The API is back.")
                away_since = None
            known = True
            bar.show(*_progress_line(api, found))
            if found["state"] not in OPEN_STATES:
                bar.end()
                return _report_end(api, found)
            clock.sleep(READ_EVERY_S)
    except MissingError:
        if not known:
            raise
        bar.end()
        print_message(f"{comparison} was deleted meanwhile.")
        return EXIT_RUN_FAILED
    finally:
        bar.end()


def _progress_line(api: Api, found: ComparisonDetail) -> tuple[str, float, str]:
    runs = own_runs(found)
    total = sum(runs.values())
    done = total - runs["queued"] - runs["running"]
    lost = runs["failed"] + runs["cancelled"]
    kind = "runs" if found["phase"] is None else "final runs"
    head = f"{done} of {total} {kind}" + (f", {lost} not succeeded" if lost else "")
    if found["phase"] == "search":
        head, runs = phase_text(found) or "search", found["trial_runs"] or runs
    if found["state"] not in OPEN_STATES:
        return head, found["progress"], found["state"]
    if runs["queued"] and not runs["running"]:
        return head, found["progress"], _waiting_text(api, found["id"])
    eta = found["eta_s"]
    return head, found["progress"], "" if eta is None else f"{duration(eta)} left"


def _waiting_text(api: Api, comparison: str) -> str:
    """Return where the next run stands in the queue, where others are before it."""
    try:
        rows = api.queue(comparison=comparison, page_size=1)["waiting"]
    except ApiAwayError:
        rows = []  # it is told when the comparison is read again
    if rows and rows[0]["waits_for"]:
        return rows[0]["waits_for"]
    if not rows or rows[0]["position"] == 1:
        return "waits for a worker"
    start = rows[0]["starts_in_s"]
    place = f"{ordinal(rows[0]['position'])} in the queue"
    return place if start is None else f"{place}, {start_text(start)}"


def _report_end(api: Api, found: ComparisonDetail) -> int:
    """Print which runs did not train or not succeed and why, and return the exit status."""
    # Failed trials count like the others: they are told where no final run could follow.
    runs = api.runs(found["id"], role="trial" if found["phase"] == "search" else "final")
    for one in warned(runs):
        print_message(printable(f"{one.name}: {one.arms}. {one.message}"))
    if found["state"] == "succeeded":
        return EXIT_OK
    for run in runs:
        if run["state"] != "succeeded":
            error = run["error"]
            why = f": {printable(error['message'])} {printable(error['cause'])}" if error else ""
            print_message(f"{printable(run['arm'])}, {_place(run)}: {run['state']}{why}")
    return EXIT_RUN_FAILED


def _place(run: Run) -> str:
    """Return which of its arm's runs it is."""
    if run["role"] == "final":
        return f"seed {run['seed']}"
    fold = "" if run["fold"] is None else f", fold {run['fold']}"
    return f"trial {run['trial']}, seed {run['seed']}{fold}"
