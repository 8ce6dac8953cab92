"""Entry point of the client's command line: `python -m frontend.cli submit spec.json --watch`.

`python -m launcher` passes these commands on, so that users need only that one.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from frontend.api.client import Api
from frontend.api.json_text import JsonTextError, read_json
from frontend.api.types import ComparisonDetail
from frontend.cli.arguments import parse
from frontend.cli.leaderboard import leaderboard_lines
from frontend.cli.output import (
    EXIT_API_AWAY,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_WRONG_INPUT,
    print_message,
    print_result,
    printable,
)
from frontend.cli.preview import preview_lines
from frontend.cli.verdict import verdict_lines
from frontend.cli.watch import watch
from frontend.errors import ApiAwayError, ApiError
from frontend.export.file_writer import STDOUT, export, open_output
from frontend.ui.replicates import count_text

TIMEOUT: Final = httpx.Timeout(30.0, connect=3.0)


class SpecFileError(Exception):
    """The spec's file cannot be read or is not JSON; the message says what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        with httpx.Client(base_url=options.api, timeout=TIMEOUT, trust_env=False) as http:
            return _run(Api(http, user=_user(), token=_token()), options)
    except ApiError as error:
        return _report_error(error)
    except (OSError, SpecFileError) as error:
        print_message(f"lossboard: {error}")
        return EXIT_WRONG_INPUT
    except KeyboardInterrupt:
        print_message("Stopped.")
        return EXIT_INTERRUPTED


def _user() -> str:
    """Return the login name of the user, by which comparisons are submitted; "" if unknown."""
    return os.environ.get("USER") or os.environ.get("USERNAME", "")


def _token() -> str:
    """Return the API token. It is not an option: other users could read a command line."""
    return os.environ.get("LOSSBOARD_TOKEN", "").strip()


def _run(api: Api, options: argparse.Namespace) -> int:
    match options.command:
        case "submit":
            return _submit(api, options)
        case "watch":
            return _watch(api, options.id, options.patience)
        case "list":
            return _list(api, options)
        case "export":
            return _write(api, options.id, options.format, options.what, options.output)
        case "leaderboard" | "verdict":
            return _print_findings(api, options)
        case _:
            return _write(api, options.id, "html", None, options.output)


def _submit(api: Api, options: argparse.Namespace) -> int:
    if options.preview:
        for line in preview_lines(api.preview(_read_spec(options.spec))):
            print_result(printable(line))
        return EXIT_OK
    made = api.create(_read_spec(options.spec))
    runs = sum(made["runs"].values())
    over = count_text(made["replicate_noun"], len(made["seeds"]))
    print_message(
        f"Submitted “{printable(made['name'])}”, {runs} run{'s' if runs > 1 else ''}: "
        f"{printable(', '.join(made['arms']))} over {over}.{_search_text(made)}"
    )
    print_result(made["id"])
    return _watch(api, made["id"], options.patience) if options.watch else EXIT_OK


def _search_text(made: ComparisonDetail) -> str:
    """Return how the arms are searched first; "" where they are not."""
    tuning = made["spec"].get("tuning")
    if tuning is None:
        return ""
    finals = len(made["arms"]) * len(made["seeds"])
    return (
        f" First each arm gets {tuning['trials']} trials; {finals} final "
        f"run{'s' if finals > 1 else ''} of the best settings follow."
    )


def _read_spec(source: str) -> Any:
    """Read the JSON of a file or of stdin.

    Raises:
        SpecFileError: it cannot be read, or is not JSON.
    """
    name = "stdin" if source == STDOUT else source
    try:
        text = sys.stdin.read() if source == STDOUT else Path(source).read_text(encoding="utf-8")
        return read_json(text)
    except OSError as error:
        raise SpecFileError(f"{name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SpecFileError(f"{name} is not UTF-8 text; save the spec as JSON in UTF-8") from error
    except JsonTextError as error:
        raise SpecFileError(f"{name} is not JSON: {printable(str(error))}") from error


def _watch(api: Api, comparison: str, patience: float) -> int:
    try:
        return watch(api, comparison, patience=patience)
    except KeyboardInterrupt:
        print_message(
            f"The runs go on. Watch them again: python -m launcher watch {printable(comparison)}"
        )
        return EXIT_INTERRUPTED


def _list(api: Api, options: argparse.Namespace) -> int:
    found = api.comparisons(
        q=options.search, tag=options.tag, state=options.state, page_size=options.most
    )
    for one in found["comparisons"]:
        columns = (one["id"], f"{one['state']:9}", f"{one['progress']:4.0%}")
        print_result("  ".join((*columns, printable(one["name"]))))
    hidden = found["total"] - len(found["comparisons"])
    if hidden:
        print_message(f"{hidden} more match; --most shows more, --search, --tag and --state fewer.")
    return EXIT_OK


def _print_findings(api: Api, options: argparse.Namespace) -> int:
    if options.command == "leaderboard":
        lines = leaderboard_lines(api.leaderboard(options.id, options.metric))
    else:
        lines = iter(verdict_lines(api.verdict(options.id, options.a, options.b)))
    for line in lines:
        print_result(printable(line))
    return EXIT_OK


def _write(api: Api, comparison: str, kind: str, what: str | None, target: str) -> int:
    with open_output(target) as file:
        export(api, comparison, kind, what, file)
    if target != STDOUT:
        print_message(f"Wrote {target}, {Path(target).stat().st_size:,} bytes.")
    return EXIT_OK


def _report_error(error: ApiError) -> int:
    """Print an error with all its problems, and return the exit status for it."""
    print_message(f"lossboard: {printable(error.message)}")
    for path, message in error.fields:
        print_message(f"  {printable(path) or 'spec'}: {printable(message)}")
    return (
        EXIT_API_AWAY
        if isinstance(error, ApiAwayError) or error.status >= 500
        else EXIT_WRONG_INPUT
    )


if __name__ == "__main__":
    sys.exit(main())
