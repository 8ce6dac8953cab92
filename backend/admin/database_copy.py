"""Copy one database into another, row by row; count and compare all rows before the commit.

All rows are read in one view and written in one transaction. The tables are those of the models, so
tables that a later version adds are copied as well.
"""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import JSON, Connection, Table, func, inspect, text
from sqlalchemy import select as columns
from sqlmodel import Session, SQLModel
from sqlmodel.sql.sqltypes import AutoString

from backend.admin.locations import AdminError
from backend.admin.progress import ReportProgress, ignore_progress
from backend.db import migrations
from backend.db.database import Database

ROWS_PER_BATCH: Final = 10_000
"""Rows held in memory at a time."""
_ALL: Final = 1 << 64

Row = Sequence[Any]


@dataclass(frozen=True)
class TableSum:
    """The contents of a table as a checksum, independent of the order of its rows."""

    rows: int
    checksum: int
    """The sum, modulo 2^64, of a 64-bit hash of each row."""


def copy_database(
    source: Database,
    target: Database,
    *,
    replaced: Collection[str] = (),
    report: ReportProgress = ignore_progress,
) -> dict[str, TableSum]:
    """Copy all rows into an empty database; return the checksums of what was copied.

    Args:
        source: a database of the newest version. It may be written to meanwhile; what is written
            after the first row is read is not copied.
        target: without our tables, or with empty ones.
        replaced: tables of the target that may have rows, which are replaced.
        report: called with the rows copied, then with those read again.

    Raises:
        AdminError: the source has another version, the target is not empty, or the rows that
            arrived are not those that were read. The target is empty then.
    """
    check_version(source)
    check_empty(target, besides=replaced)
    migrations.upgrade(target)
    with source.read() as session:
        return copy_session(session, target, report=report)


def copy_session(
    view: Session, target: Database, *, report: ReportProgress = ignore_progress
) -> dict[str, TableSum]:
    """Copy the rows of a view into an empty database of the newest version; return their checksums.

    Raises:
        AdminError: the rows that arrived are not those that were read. The target is empty then.
    """
    with target.migration() as writing:
        reading = view.connection()
        counts = {table: _count(reading, table) for table in tables()}
        total, done = sum(counts.values()), 0
        found: dict[str, TableSum] = {}
        for table in tables():
            writing.execute(table.delete())  # a migration may have added rows
            copied, added = _RowAdder(), _row_writer(writing, table)
            for rows in _rows(reading, table, clean=writing.dialect.name == "postgresql"):
                copied.add(rows)
                added(rows)
                done += len(rows)
                report("copying rows", done, total)
            found[table.name] = copied.sum
        _carry_counters(reading, writing)
        _verify(writing, found, report)
    return found


def check_version(source: Database) -> None:
    """Refuse a source that has another version.

    Raises:
        AdminError: it has another version.
    """
    newest = migrations.head()
    if (version := migrations.current(source)) != newest:
        raise AdminError(
            f"the database to copy from has version {version or 'none'}, not {newest}; "
            "run `python -m launcher migrate` first"
        )


def check_empty(target: Database, *, besides: Collection[str] = ()) -> None:
    """Refuse a target that is not empty.

    Args:
        target: the database.
        besides: tables that may have rows.

    Raises:
        AdminError: it is not empty.
    """
    there = set(inspect(target.engine).get_table_names())
    with target.engine.connect() as connection:
        full = [
            f"{table.name} ({rows})"
            for table in tables()
            if table.name in there and table.name not in {"stream_position", *besides}
            if (rows := _count(connection, table))
        ]
    if full:
        raise AdminError(
            "the database to copy into is not empty; rows of " + ", ".join(full) + ". "
            "Name another one, or drop its tables"
        )


def tables() -> list[Table]:
    """Return all tables, those that others refer to first."""
    return list(SQLModel.metadata.sorted_tables)


def table_sums(
    connection: Connection, report: ReportProgress = ignore_progress
) -> dict[str, TableSum]:
    """Compute the checksum of each table."""
    total, done = sum(_count(connection, table) for table in tables()), 0
    found: dict[str, TableSum] = {}
    for table in tables():
        adder = _RowAdder()
        for rows in _rows(connection, table):
            adder.add(rows)
            done += len(rows)
            report("comparing rows", done, total)
        found[table.name] = adder.sum
    return found


class _RowAdder:
    def __init__(self) -> None:
        self.sum = TableSum(0, 0)

    def add(self, rows: Sequence[Row]) -> None:
        total = self.sum.checksum
        for row in rows:
            digest = blake2b(repr(tuple(row)).encode("utf-8", "surrogatepass"), digest_size=8)
            total += int.from_bytes(digest.digest(), "little")
        self.sum = TableSum(self.sum.rows + len(rows), total % _ALL)


def _verify(writing: Connection, expected: dict[str, TableSum], report: ReportProgress) -> None:
    found = table_sums(writing, report)
    wrong = [
        f"{name} has {found[name].rows} of {one.rows} rows"
        + (", with other content" if found[name].rows == one.rows else "")
        for name, one in expected.items()
        if found[name] != one
    ]
    if wrong:
        raise AdminError("the copy is not what was read, so it was taken back: " + "; ".join(wrong))


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(columns(func.count()).select_from(table)).scalar_one())


def _rows(reading: Connection, table: Table, *, clean: bool = False) -> Iterator[list[Row]]:
    """Yield a table's rows in a form that can be compared: JSON as text with sorted keys, so that
    it is the same from each database; if `clean`, without the character 0, which PostgreSQL cannot
    store."""
    json_at = [at for at, column in enumerate(table.c) if isinstance(column.type, JSON)]
    text_at = [at for at, column in enumerate(table.c) if isinstance(column.type, AutoString)]
    own = reading.execution_options(yield_per=ROWS_PER_BATCH)
    for part in own.execute(columns(*table.c)).partitions(ROWS_PER_BATCH):
        if not json_at and not (clean and text_at):
            yield list(part)
            continue
        rows = [list(row) for row in part]
        for row in rows:
            for at in json_at:
                if row[at] is not None or not table.c[at].nullable:
                    row[at] = json.dumps(row[at], sort_keys=True)
            for at in text_at if clean else ():
                if row[at] is not None:
                    row[at] = row[at].replace("\0", "\ufffd")
        yield [*rows]


def _row_writer(writing: Connection, table: Table) -> Callable[[Sequence[Row]], None]:
    names = ", ".join(f'"{column.name}"' for column in table.c)
    if writing.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.c))
        insert = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'

        def add(rows: Sequence[Row]) -> None:
            writing.exec_driver_sql(insert, [tuple(row) for row in rows])

        return add

    def stream(rows: Sequence[Row]) -> None:
        driver: Any = writing.connection.driver_connection
        with (
            driver.cursor() as cursor,
            cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as into,
        ):
            for row in rows:
                into.write_row(row)

    return stream


def _carry_counters(reading: Connection, writing: Connection) -> None:
    """Go on counting where the source was: a number once given is never given again."""
    for table in tables():
        column = table.autoincrement_column
        if column is None:
            continue
        last = reading.execute(columns(func.coalesce(func.max(column), 0))).scalar_one()
        last = max(last, _last_id(reading, table, column.name))
        if not last:
            continue
        if writing.dialect.name == "postgresql":
            writing.execute(
                text("SELECT setval(pg_get_serial_sequence(:table, :name), :last)"),
                {"table": table.name, "name": column.name, "last": last},
            )
        elif _has_autoincrement(table):
            own = {"name": table.name, "last": last}
            writing.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), own)
            writing.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :last)"), own)


def _last_id(reading: Connection, table: Table, column: str) -> int:
    if reading.dialect.name == "postgresql":
        name = text("SELECT pg_get_serial_sequence(:table, :name)")
        own = {"table": table.name, "name": column}
        sequence = reading.execute(name, own).scalar_one()
        if sequence is None:
            return 0
        row = reading.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()
        return int(row.last_value) if row.is_called else 0
    if not _has_autoincrement(table):
        return 0
    last = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
    return int(reading.execute(last, {"name": table.name}).scalar() or 0)


def _has_autoincrement(table: Table) -> bool:
    return bool(table.dialect_options["sqlite"]["autoincrement"])
