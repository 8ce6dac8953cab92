"""Backups: one complete file of one moment, while data is written and deleted."""

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from backend.admin.__main__ import run
from backend.admin.archive import DATABASE, MANIFEST, Manifest
from backend.admin.locations import AdminError
from backend.admin.pinned_files import ReferencedFiles
from backend.comparisons import repository as comparisons
from backend.datasets.check_report import CONTENT
from backend.datasets.repository import UPLOADS
from backend.db import migrations
from backend.db.database import Database
from backend.db.models import Comparison, Run
from backend.runs import snapshots
from backend.settings import Settings
from backend.storage import data_folder
from tests.backend.backup_folders import (
    UPLOADED,
    Folder,
    check_consistent,
    open_folder,
    read_members,
)
from tests.backend.conftest import Serve
from tests.backend.helpers import points_of, run_now, submit
from tests.backend.scripted_runs import store_events
from tests.backend.worker_requests import on_disk
from tests.support.postgres import Postgres
from tests.support.snapshots import fill


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Folder]:
    with open_folder(tmp_path / "data") as folder:
        folder.fill()
        folder.upload()
        yield folder


def manifest_of(file: Path) -> Manifest:
    return Manifest.model_validate_json(read_members(file)[MANIFEST])


def copied(file: Path, folder: Path) -> Database:
    """Return the database in a backup."""
    found = folder / "copied.sqlite"
    found.write_bytes(read_members(file)[DATABASE])
    return Database(f"sqlite:///{found}")


def delete(folder: Folder, comparison: str) -> None:
    """Delete a comparison as the API does, with the blobs that are not needed any more."""
    with folder.database.write() as write:
        blobs = snapshots.blob_kinds(write.session, comparison)
        comparisons.remove(write, comparison)
    snapshots.delete_unused_blobs(folder.database, folder.blobs, blobs, time.time() + 1)


def test_a_backup_holds_the_database_and_the_files_it_names(filled: Folder, tmp_path: Path) -> None:
    unused = filled.blobs.put(b"of no row")
    attempt = filled.running()
    file = tmp_path / "b.tar"
    made = filled.save(file)
    found = read_members(file)
    with filled.database.read() as session:
        used = snapshots.used_digests(session)
    assert {f"blobs/{digest}" for digest in used} == {n for n in found if n.startswith("blobs/")}
    assert hashlib.sha256(b"a training's state").hexdigest() in used
    assert unused not in used
    assert found["uploads/d0123456789abcdef/content"] == UPLOADED
    assert found["uploads/d0123456789abcdef/thumbnails.zip"] == b"small"
    manifest = manifest_of(file)
    assert list(found)[-1] == MANIFEST
    assert (manifest.format, manifest.revision) == (1, migrations.head())
    assert (manifest.source, manifest.damaged, made.lost) == ("sqlite", [], [])
    assert {
        name: (len(content), hashlib.sha256(content).hexdigest())
        for name, content in found.items()
        if name != MANIFEST
    } == {name: (member.size, member.sha256) for name, member in manifest.members.items()}
    assert (made.bytes, made.files) == (file.stat().st_size, len(found) - 2)
    assert file.stat().st_mode & 0o077 == 0
    database = copied(file, tmp_path)
    assert points_of(database, attempt.run) == points_of(filled.database, attempt.run)
    database.close()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert not (filled.folder / data_folder.BACKUP_LINKS).exists()


def test_later_writes_are_left_out_and_do_not_restart_the_copy(
    filled: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.admin.backup.PAGES_PER_STEP", 4)
    pages: list[int] = []

    def report(what: str, done: int, total: int) -> None:
        if what == "copying the database":
            submit(filled.database)
            pages.append(done)

    file = tmp_path / "b.tar"
    filled.save(file, report)
    assert len(pages) > 5
    assert pages == sorted(pages)
    database = copied(file, tmp_path)
    with database.read() as session:
        assert session.connection().execute(text("SELECT count(*) FROM comparison")).scalar() == 1
    database.close()


def test_blobs_deleted_during_the_copy_are_in_the_backup(filled: Folder, tmp_path: Path) -> None:
    with filled.database.read() as session:
        [comparison] = session.connection().execute(text("SELECT id FROM comparison")).scalars()

    def report(what: str, done: int, total: int) -> None:
        if what == "copying the database" and on_disk(filled.blobs):
            delete(filled, comparison)
            assert on_disk(filled.blobs) == {}

    file = tmp_path / "b.tar"
    made = filled.save(file, report)
    assert on_disk(filled.blobs) == {}
    assert made.lost == []
    names = manifest_of(file).members.keys()
    database = copied(file, tmp_path)
    with database.read() as session:
        assert {f"blobs/{digest}" for digest in snapshots.used_digests(session)} < names
        assert session.get(Comparison, comparison)
    database.close()


@pytest.mark.parametrize("links", [True, False])
def test_blobs_deleted_before_they_are_linked_lead_to_a_newer_view(
    filled: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    """The race: the view names blobs that are deleted before they are linked."""
    other = fill(filled.database, filled.blobs, seeds=1, epochs=3, samples=60)
    attempt = filled.running()
    state = run_now(filled.database, attempt.run).checkpoint
    views: list[int] = []
    of = ReferencedFiles.read

    def named(session: object) -> ReferencedFiles:
        found = of(session)  # type: ignore[arg-type]
        views.append(len(found.sha256))
        if len(views) == 1:
            delete(filled, other)
        if len(views) == 2:  # and a checkpoint goes that the first view's link holds
            assert state
            digest = filled.blobs.put(b"a later state")
            store_events(filled.database, attempt.checkpointed(150, digest))
            assert filled.blobs.delete([state], time.time() + 1)
        return found

    def refuse(*_: object) -> None:
        raise PermissionError(1, "this disk has no links")

    monkeypatch.setattr(ReferencedFiles, "read", named)
    monkeypatch.setattr("backend.admin.pinned_files.PAUSE_S", 0.0)
    if not links:
        monkeypatch.setattr(os, "link", refuse)
    file = tmp_path / "b.tar"
    assert filled.save(file).lost == []
    assert len(views) == 2
    database = copied(file, tmp_path)
    monkeypatch.undo()
    with database.read() as session:
        assert session.get(Comparison, other) is None
        named_now = ReferencedFiles.read(session).sha256
    assert run_now(database, attempt.run).checkpoint == state
    database.close()
    held = {name: member.sha256 for name, member in manifest_of(file).members.items()}
    assert named_now.items() <= held.items()
    assert f"blobs/{state}" in held


def test_lost_or_damaged_files_are_left_out_and_reported(
    filled: Folder,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("backend.admin.pinned_files.PAUSE_S", 0.0)
    attempt = filled.running()
    with filled.database.read() as session:
        rows = session.connection().execute(
            text("SELECT run_id, epoch, embeddings, facts FROM snapshot ORDER BY run_id, epoch")
        )
        [(_, _, lost, _), (_, _, _, damaged), *_] = rows.all()
    checkpoint = run_now(filled.database, attempt.run).checkpoint
    assert checkpoint
    filled.blobs.path(lost).unlink()
    filled.blobs.path(damaged).write_bytes(b"rotten")
    filled.blobs.path(checkpoint).write_bytes(b"rotten too")
    (filled.folder / UPLOADS / "d0123456789abcdef" / CONTENT).unlink()
    file = tmp_path / "b.tar"
    run(["backup", str(file), "--data-dir", str(filled.folder)], {})
    stderr = capsys.readouterr().err
    assert f"left out: blobs/{lost} is missing or damaged" in stderr
    assert stderr.count("left out: ") == 4
    manifest = manifest_of(file)
    assert sorted(manifest.damaged) == sorted([f"blobs/{damaged}", f"blobs/{checkpoint}"])
    assert manifest.members.keys().isdisjoint(manifest.damaged)
    database = copied(file, tmp_path)
    with database.read() as session:
        named = ReferencedFiles.read(session).sha256
        count = text("SELECT count(*) FROM snapshot")
        whole = session.connection().execute(count).scalar_one()
        kept = session.get(Run, attempt.run)
        assert kept
        assert (kept.checkpoint, kept.start_after) == (None, 0)
    database.close()
    assert named.keys() < manifest.members.keys()
    with filled.database.read() as session:  # the live one was only read
        assert session.connection().execute(count).scalar_one() == whole + 2


def test_a_file_is_replaced_only_with_force_and_never_left_incomplete(
    filled: Folder, tmp_path: Path
) -> None:
    file = tmp_path / "b.tar"
    file.write_bytes(b"dear")
    with pytest.raises(AdminError, match="is there already; name another file, or add --force"):
        filled.save(file)
    assert file.read_bytes() == b"dear"

    def report(what: str, done: int, total: int) -> None:
        if what == "writing the backup":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filled.save(file, report, force=True)
    assert file.read_bytes() == b"dear"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar", "data"]
    filled.save(file, force=True)
    assert DATABASE in read_members(file)
    with pytest.raises(AdminError, match="there is no folder"):
        filled.save(tmp_path / "none" / "b.tar")


def test_a_backup_that_is_not_possible_says_why(
    filled: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "b.tar"
    with (
        data_folder.exclusive_locks(filled.folder, data_folder.BACKUP_LOCK),
        pytest.raises(AdminError, match="a backup is being made of the data folder"),
    ):
        filled.save(file)
    with monkeypatch.context() as patched:
        patched.setattr(Database, "size", lambda _: 10**18)
        with pytest.raises(AdminError, match=r"has room for .* and the backup of .* may need"):
            filled.save(file)
    migrations.downgrade(filled.database, "0004")
    with pytest.raises(AdminError, match="has version 0004, not"):
        filled.save(file)
    assert not file.exists()


def test_a_backup_is_made_while_an_api_and_a_launcher_use_the_folder(
    filled: Folder, tmp_path: Path
) -> None:
    api_lock = data_folder.DataFolderLock(filled.folder)
    with data_folder.exclusive_locks(filled.folder, data_folder.LAUNCHER_LOCK):
        filled.save(tmp_path / "b.tar")
    api_lock.release()
    check_consistent(filled)


def test_an_api_deletes_links_of_a_killed_backup_but_not_of_a_running_one(
    serve: Serve, settings: Settings
) -> None:
    links = settings.data_dir / data_folder.BACKUP_LINKS
    links.mkdir(parents=True)
    with data_folder.exclusive_locks(settings.data_dir, data_folder.BACKUP_LOCK), serve(settings):
        assert links.is_dir()
    with serve(settings):
        assert not links.exists()


def test_postgres_is_backed_up_as_sqlite(tmp_path: Path, postgres: Postgres) -> None:
    with postgres.fresh() as url, open_folder(tmp_path / "data", url) as folder:
        gone = folder.fill()
        attempt = folder.running()

        def report(what: str, done: int, total: int) -> None:
            if what == "copying rows" and run_now(folder.database, attempt.run).step == 150:
                delete(folder, gone)
                store_events(folder.database, attempt.points([151]))

        file = tmp_path / "b.tar"
        assert folder.save(file, report).lost == []
        assert manifest_of(file).source == "postgresql"
        database = copied(file, tmp_path)
        assert points_of(database, attempt.run)[0] == list(range(151))
        assert points_of(folder.database, attempt.run)[0] == list(range(152))
        with database.read() as session:
            named = ReferencedFiles.read(session).sha256
            assert session.get(Comparison, gone)
        database.close()
    assert len(named) > 5
    assert named.keys() == manifest_of(file).members.keys() - {DATABASE}
    with sqlite3.connect(tmp_path / "copied.sqlite") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() in {("delete",), ("wal",)}
    connection.close()
