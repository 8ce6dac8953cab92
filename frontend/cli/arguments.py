"""The commands and options of `python -m frontend.cli`."""

import argparse
from collections.abc import Sequence
from typing import Final

import httpx

from frontend.settings import Settings

FORMATS: Final = ("json", "csv", "parquet", "latex", "html", "markdown")
TABLES: Final = ("results", "series", "runs", "leaderboard", "trials")
CONTENTS: Final = ("spec", "all", *TABLES, "verdict")
PATIENCE_S: Final = 300.0

_EXITS: Final = (
    "Exit status: 0 all well, and all runs succeeded where they were watched; 1 a run failed or "
    "was cancelled; 2 the spec or the command line is wrong; 3 the API is away; 130 on Ctrl-C."
)


def parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    top = argparse.ArgumentParser(
        prog="python -m launcher", description="Use Lossboard from the command line.", epilog=_EXITS
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, help_text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help_text, description=help_text, epilog=_EXITS)
        made.add_argument(
            "--api",
            metavar="URL",
            type=_address,
            default=Settings.from_environment().api_url,
            help="where the API listens; default: $LOSSBOARD_API_URL or %(default)s",
        )
        return made

    submit = command("submit", "Submit a comparison; its id goes to stdout.")
    submit.add_argument("spec", metavar="SPEC", help="a JSON file, - for stdin")
    then = submit.add_mutually_exclusive_group()
    then.add_argument("--watch", action="store_true", help="follow its runs to their end")
    then.add_argument(
        "--preview",
        action="store_true",
        help="submit nothing; print splits, steps, time and warnings",
    )
    watch = command("watch", "Follow a comparison's runs to their end.")
    watch.add_argument("id", metavar="ID")
    for watching in (submit, watch):
        watching.add_argument(
            "--patience",
            type=_seconds,
            default=PATIENCE_S,
            metavar="S",
            help="seconds to go on trying while the API is away; default: %(default)g",
        )
    export = command("export", "Write a comparison to a file.")
    export.add_argument("id", metavar="ID")
    export.add_argument("--format", choices=FORMATS, default="json", help="default: %(default)s")
    export.add_argument(
        "--what",
        choices=CONTENTS,
        help="json: spec (default) or all; csv and parquet: results (default), series, runs, "
        "leaderboard or trials; csv also: verdict",
    )
    verdict = command("verdict", "Print the verdict on the nine claims.")
    verdict.add_argument("id", metavar="ID")
    verdict.add_argument("--a", default="", metavar="ARM", help="arm in the contrastive role")
    verdict.add_argument("--b", default="", metavar="ARM", help="arm in the triplet role")
    ranks = command("leaderboard", "Print all arms, ranked by each metric of the test split.")
    ranks.add_argument("id", metavar="ID")
    ranks.add_argument(
        "--metric",
        action="append",
        default=[],
        metavar="KEY",
        help="a metric, such as test.retrieval.map_at_r; repeated for several",
    )
    report = command("report", "Write a comparison's report: one HTML file that opens offline.")
    report.add_argument("id", metavar="ID")
    for writing in (export, report):
        writing.add_argument("--output", required=True, metavar="FILE", help="- for stdout")
    listing = command("list", "List comparisons, newest first.")
    listing.add_argument("--search", default="", metavar="WORDS", help="of name, notes or tags")
    listing.add_argument("--tag", default="", metavar="TAG")
    listing.add_argument(
        "--state",
        default="",
        choices=("queued", "running", "succeeded", "failed", "cancelled"),
    )
    listing.add_argument("--most", type=_count, default=50, metavar="N", help="default: 50")
    return top


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse a command line; a wrong one ends the process with status 2."""
    top = parser()
    parsed = top.parse_args(arguments)
    if parsed.command == "export" and parsed.what:
        fitting = {"json": CONTENTS[:2], "csv": CONTENTS[2:], "parquet": TABLES}
        if parsed.what not in fitting.get(parsed.format, ()):
            top.error(f"--format {parsed.format} has no --what {parsed.what}")
    return parsed


def _address(text: str) -> str:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise argparse.ArgumentTypeError(f"{text} is not an address: {error}") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise argparse.ArgumentTypeError(f"{text} is not an address like http://127.0.0.1:8500")
    return text.rstrip("/")


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds")
    return number


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 200:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 to 200")
    return number
