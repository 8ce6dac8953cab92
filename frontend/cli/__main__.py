"""Lossboard from the command line: `python -m frontend.cli submit spec.json --watch`.

`python -m launcher` passes these commands on, so that one name is enough to remember.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from frontend.api.client import Api
from frontend.cli.arguments import parse
from frontend.cli.output import AWAY, FINE, INTERRUPTED, WRONG, give, plain, say
from frontend.cli.watch import watch
from frontend.errors import ApiAwayError, ApiError
from frontend.export.file_writer import STDOUT, export, opened

TIMEOUT: Final = httpx.Timeout(30.0, connect=3.0)


class SpecFileError(Exception):
    """The file is not there, or holds no JSON; says what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status."""
    options = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        with httpx.Client(base_url=options.api, timeout=TIMEOUT, trust_env=False) as http:
            return _run(Api(http, user=_user(), token=_token()), options)
    except ApiError as error:
        return _refused(error)
    except (OSError, SpecFileError) as error:
        say(f"lossboard: {error}")
        return WRONG
    except KeyboardInterrupt:
        say("Stopped.")
        return INTERRUPTED


def _user() -> str:
    """Who has opened the session on this machine; the API's own word where nobody is named."""
    return os.environ.get("USER") or os.environ.get("USERNAME", "")


def _token() -> str:
    """What the API lets in by, where it needs that; no option, for others could read it there."""
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
        case _:
            return _write(api, options.id, "html", None, options.output)


def _submit(api: Api, options: argparse.Namespace) -> int:
    made = api.create(_spec(options.spec))
    runs = sum(made["runs"].values())
    say(f"Submitted “{plain(made['name'])}”, {runs} run{'s' if runs > 1 else ''}.")
    give(made["id"])
    return _watch(api, made["id"], options.patience) if options.watch else FINE


def _spec(source: str) -> Any:
    """The JSON of a file or of stdin.

    Raises:
        SpecFileError: it holds none.
    """
    name = "stdin" if source == STDOUT else source
    try:
        text = sys.stdin.read() if source == STDOUT else Path(source).read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        raise SpecFileError(f"{name} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SpecFileError(f"{name} is not UTF-8 text; save the spec as JSON in UTF-8") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise SpecFileError(f"{name} is not JSON: {error.msg} at {place}") from error


def _watch(api: Api, comparison: str, patience: float) -> int:
    try:
        return watch(api, comparison, patience=patience)
    except KeyboardInterrupt:
        say(f"The runs go on. Watch them again: python -m launcher watch {plain(comparison)}")
        return INTERRUPTED


def _list(api: Api, options: argparse.Namespace) -> int:
    found = api.comparisons(
        q=options.search, tag=options.tag, state=options.state, page_size=options.most
    )
    for one in found["comparisons"]:
        columns = (one["id"], f"{one['state']:9}", f"{one['progress']:4.0%}")
        give("  ".join((*columns, plain(one["name"]))))
    hidden = found["total"] - len(found["comparisons"])
    if hidden:
        say(f"{hidden} more match; --most shows more, --search, --tag and --state fewer.")
    return FINE


def _write(api: Api, comparison: str, kind: str, what: str | None, target: str) -> int:
    with opened(target) as file:
        export(api, comparison, kind, what, file)
    if target != STDOUT:
        say(f"Wrote {target}, {Path(target).stat().st_size:,} bytes.")
    return FINE


def _refused(error: ApiError) -> int:
    """Every problem with its path, and the status that fits."""
    say(f"lossboard: {plain(error.message)}")
    for path, message in error.fields:
        say(f"  {plain(path) or 'spec'}: {plain(message)}")
    return AWAY if isinstance(error, ApiAwayError) or error.status >= 500 else WRONG


if __name__ == "__main__":
    sys.exit(main())
