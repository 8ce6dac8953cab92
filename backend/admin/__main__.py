"""Entry of `python -m backend.admin`."""

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from backend.admin import token_command
from backend.admin.backup import backup
from backend.admin.database_copy import copy_database
from backend.admin.locations import AdminError, Locations
from backend.admin.progress import ProgressLine, format_size
from backend.admin.restore import restore
from backend.db import migrations
from backend.db.database import Database
from backend.errors import BackendError
from backend.storage import data_folder
from backend.storage.private_folder import PRIVATE_UMASK


def parser() -> argparse.ArgumentParser:
    """Build the command line's parser."""
    top = argparse.ArgumentParser(
        prog="python -m launcher",
        description="Look after the database and the data folder; docs/BACKUP.md tells more.",
    )
    verbs = top.add_subparsers(dest="verb", required=True)
    verbs.add_parser("migrate", help="bring the database to this version's schema")
    copying = verbs.add_parser("copy", help="copy the database into an empty one, and compare")
    copying.add_argument("--to", required=True, metavar="URL", help="an SQLAlchemy URL")
    copying.add_argument(
        "--live",
        action="store_true",
        help="copy although the API runs; what it writes from then on is not in the copy",
    )
    saving = verbs.add_parser("backup", help="write everything into one file, while it all runs")
    saving.add_argument("file", type=Path, metavar="F", help="the file to write")
    saving.add_argument("--force", action="store_true", help="replace a file that is there")
    restoring = verbs.add_parser("restore", help="put a backup back, while nothing runs")
    restoring.add_argument("file", type=Path, metavar="F", help="a file that backup wrote")
    restoring.add_argument(
        "--force", action="store_true", help="move what is there aside, into a folder beside it"
    )
    verbs.add_parser("token", help="add, list and revoke tokens", add_help=False)
    restoring.add_argument(
        "--with-tokens",
        action="store_true",
        help="restore the backup's tokens too, instead of keeping those that are there",
    )
    for verb in verbs.choices.values():
        verb.add_argument(
            "--data-dir", type=Path, metavar="D", help="default: $LOSSBOARD_DATA_DIR or ./data"
        )
    return top


def migrate(locations: Locations, output: ProgressLine) -> None:
    """Bring the database to the newest version.

    Raises:
        AdminError: an older API uses it, or it has a version that this one does not know.
    """
    with locations.database(make=True) as database:
        before, newest = migrations.current(database), migrations.head()
        if before == newest:
            output.print_line(
                f"{locations.display_url} has version {newest}, which is the newest: nothing to do"
            )
            return
        locations.check_version(before)
        with locations.lock("migrated", data_folder.API_LOCK):
            migrations.upgrade(database)
        output.print_line(
            f"{locations.display_url} went from version {before or 'none'} to {newest}"
        )


def copy_to(locations: Locations, url: str, *, live: bool, output: ProgressLine) -> None:
    """Copy the configured database into another.

    Raises:
        AdminError: the copy is not possible; the message says why.
    """
    target = Database(url)
    try:
        with locations.database() as database:
            if live:
                copied = copy_database(database, target, report=output)
            else:
                with locations.lock("copied", data_folder.API_LOCK, hint="or add --live"):
                    copied = copy_database(database, target, report=output)
    finally:
        target.close()
    for name, one in copied.items():
        output.print_line(f"{name:<16} {one.rows:>12} rows  checksum {one.checksum:016x}")
    output.print_line("copied, counted and compared: both hold the same")


def make_backup(locations: Locations, file: Path, *, force: bool, output: ProgressLine) -> None:
    """Make a backup.

    Raises:
        AdminError: the backup is not possible; the message says why.
    """
    made = backup(locations, file.expanduser().absolute(), force=force, report=output)
    for name in made.lost[:10]:
        output.print_line(
            f"left out: {name} is missing or damaged on disk, and so is what it belongs to"
        )
    if len(made.lost) > 10:
        output.print_line(f"left out: {len(made.lost) - 10} more")
    output.print_line(f"{file}: {format_size(made.bytes)}, {made.files} files beside the database")


def restore_backup(
    locations: Locations, file: Path, *, force: bool, with_tokens: bool, output: ProgressLine
) -> None:
    """Restore a backup.

    Raises:
        AdminError: the restore is not possible; the message says why.
    """
    done = restore(
        locations,
        file.expanduser().absolute(),
        force=force,
        with_tokens=with_tokens,
        report=output,
    )
    if done.completed:
        output.print_line(
            "completed an earlier restore, which had been cut off; this one was not begun"
        )
    output.print_line(f"restored {done.about}")
    for folder in done.before:
        output.print_line(f"what was there before is in {folder}")


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Execute the command.

    Raises:
        BackendError: the command is not possible; the message says why.
    """
    options = parser().parse_args(arguments)
    output = ProgressLine()
    locations = Locations.from_environ(environ, options.data_dir)
    match options.verb:
        case "migrate":
            migrate(locations, output)
        case "copy":
            copy_to(locations, options.to, live=options.live, output=output)
        case "backup":
            make_backup(locations, options.file, force=options.force, output=output)
        case "restore":
            restore_backup(
                locations,
                options.file,
                force=options.force,
                with_tokens=options.with_tokens,
                output=output,
            )


def main() -> int:
    """Run; a problem becomes one line on stderr and exit status 1."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    os.umask(PRIVATE_UMASK)
    if sys.argv[1:2] == ["token"]:
        return token_command.main(sys.argv[2:], os.environ)
    try:
        run(sys.argv[1:], os.environ)
    except AdminError as error:
        problem = str(error)
    except (BackendError, SQLAlchemyError, OSError) as error:
        problem = f"{type(error).__name__}: {error}".splitlines()[0]
    except KeyboardInterrupt:
        problem = "stopped; nothing was changed"
    else:
        return 0
    sys.stderr.write(f"\nlossboard: {problem}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
