"""Restores: everything as it was, or nothing is changed."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from backend.admin import file_swap
from backend.admin.__main__ import run
from backend.admin.database_copy import TableSum, table_sums
from backend.admin.locations import AdminError, Locations
from backend.admin.restore import read_attempts, restore
from backend.db import migrations
from backend.db.database import Database
from backend.db.models import Run, Template, Trial
from backend.errors import SettingsError
from backend.maintenance.run_figures import FiguresKeeper
from backend.storage import data_folder
from tests.backend.backup_folders import UPLOADED, check_consistent, file_hashes, open_folder
from tests.backend.damaged_backups import DAMAGES, manifest_with
from tests.backend.helpers import run_now
from tests.support.postgres import Postgres
from tests.support.specs import small
from tests.support.tuned import store_tuned


@pytest.fixture(scope="module")
def made_backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a folder that does not exist any more; tests copy it."""
    place = tmp_path_factory.mktemp("made")
    with open_folder(place / "old") as folder:
        folder.fill()
        folder.upload()
        folder.save(place / "b.tar")
    shutil.rmtree(place / "old")
    return place / "b.tar"


@pytest.fixture
def saved(tmp_path: Path, made_backup: Path) -> Path:
    """A backup of its own."""
    return Path(shutil.copy(made_backup, tmp_path / "b.tar"))


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """A data folder with other data in it."""
    with open_folder(tmp_path / "data") as folder:
        folder.running(b"another state")
    return tmp_path / "data"


def sums_of(database: Database) -> dict[str, TableSum]:
    with database.read() as session:
        found = dict(table_sums(session.connection()))
    del found["stream_position"]
    return found


def test_a_restore_brings_everything_back(tmp_path: Path) -> None:
    with open_folder(tmp_path / "data") as folder:
        comparison = folder.fill()
        dataset = folder.upload()
        made = store_tuned(
            folder.database, {"pull": ["complete", "failed"]}, {"pull": ["succeeded"]}, seeds=[0]
        )
        figures = FiguresKeeper(folder.database)
        while figures.step():
            pass
        with folder.database.write() as write:
            write.session.add(
                Template(id="t1", name="n", note="", spec=small(), created_by="Ada", created_at=0.1)
            )
        folder.save(tmp_path / "b.tar")
        before = sums_of(folder.database)
    assert before["template"].rows == 1
    assert before["run_figures"].rows == 5  # stored, and no longer to be computed
    run(["restore", str(tmp_path / "b.tar"), "--data-dir", str(tmp_path / "new")], {})
    with open_folder(tmp_path / "new") as folder:
        assert sums_of(folder.database) == before
        check_consistent(folder)
        with folder.database.read() as session:
            trials = session.exec(select(Trial).order_by(col(Trial.number))).all()
        assert trials == made.trials
        for one in made.runs:
            assert run_now(folder.database, one.id) == one
        assert folder.uploads.content(dataset).read_bytes() == UPLOADED
        assert folder.uploads.thumbnails(dataset).read_bytes() == b"small"
        assert comparison
    names = {path.name for path in (tmp_path / "new").iterdir() if path.suffix != ".lock"}
    assert names == {"lossboard.sqlite", "blobs", "uploads"}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_backup_changes_nothing(saved: Path, used: Path, damage: str) -> None:
    change, message = DAMAGES[damage]
    change(saved)
    before = file_hashes(used)
    with pytest.raises(AdminError, match=message):
        run(["restore", str(saved), "--force", "--data-dir", str(used)], {})
    assert file_hashes(used) == before
    assert [path.name for path in used.parent.iterdir() if path.name == "escaped"] == []


def test_existing_data_is_moved_aside_only_with_force(
    saved: Path, used: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["restore", str(saved), "--data-dir", str(used)]
    before = file_hashes(used)
    with pytest.raises(AdminError, match=r"lossboard.sqlite is there already\. .* --force"):
        run(command, {})
    assert file_hashes(used) == before
    run([*command, "--force"], {})
    stderr = capsys.readouterr().err
    [aside] = used.glob("before-restore-*")
    assert f"what was there before is in {aside}" in stderr
    with open_folder(used) as folder:
        check_consistent(folder)
        assert folder.uploads.content("d0123456789abcdef").is_file()
    assert {name: digest for name, digest in file_hashes(aside).items() if "-wal" not in name} == {
        name: digest for name, digest in before.items() if "-wal" not in name
    }
    with open_folder(aside) as folder:  # it is a data folder of its own
        check_consistent(folder)
    shutil.rmtree(aside)
    (used / "lossboard.sqlite").unlink()
    with pytest.raises(AdminError, match=r"blobs/.* is there already"):  # perhaps of a server's
        run(command, {})


def test_a_folder_in_use_is_refused(saved: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    command = ["restore", str(saved), "--data-dir", str(folder)]
    api_lock = data_folder.DataFolderLock(folder)
    with pytest.raises(AdminError, match="an API uses the data folder"):
        run(command, {})
    api_lock.release()
    for lock, who in (
        (data_folder.LAUNCHER_LOCK, "a launcher runs on"),
        (data_folder.BACKUP_LOCK, "a bac"),
    ):
        with data_folder.exclusive_locks(folder, lock), pytest.raises(AdminError, match=who):
            run(command, {})
    with pytest.raises(AdminError, match="there is no file"):
        run(["restore", str(tmp_path / "none"), "--data-dir", str(folder)], {})
    assert file_hashes(folder) == {}


def test_an_older_database_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_folder(tmp_path / "old") as folder, monkeypatch.context() as patched:
        folder.fill()
        patched.setattr(
            "backend.admin.backup._finish_database", lambda file, lost: downgraded(file)
        )
        folder.save(tmp_path / "b.tar")
    manifest_with(revision="0004")(tmp_path / "b.tar")
    restore(locations_of(tmp_path / "new"), tmp_path / "b.tar")
    with sqlite3.connect(tmp_path / "new" / "lossboard.sqlite") as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    connection.close()
    assert found == [(migrations.head(),)]


def downgraded(file: Path) -> None:
    database = Database(f"sqlite:///{file}")
    migrations.downgrade(database, "0004")
    database.close()


def locations_of(folder: Path, url: str = "") -> Locations:
    return Locations(folder, url or f"sqlite:///{folder / 'lossboard.sqlite'}")


def test_a_failed_move_undoes_all_others(
    saved: Path, used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file_hashes(used)
    moves = [0]
    move = file_swap._move

    def third_fails(*args: object) -> None:
        moves[0] += 1
        if moves[0] == 4:
            raise PermissionError(13, "Permission denied")
        move(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("backend.admin.file_swap._move", third_fails)
    with pytest.raises(PermissionError):
        restore(locations_of(used), saved, force=True)
    assert {n: d for n, d in file_hashes(used).items() if "-wal" not in n} == {
        n: d for n, d in before.items() if "-wal" not in n
    }
    data_folder.DataFolderLock(used).release()
    monkeypatch.undo()
    restore(locations_of(used), saved, force=True)


class Killed(BaseException):
    """Ends the process at this point."""


@pytest.mark.parametrize("moves", range(7))
def test_a_crash_between_two_moves_is_completed_by_the_next_restore(
    saved: Path,
    used: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    moves: int,
) -> None:
    made = [0]

    def some(source: Path, target: Path, moved: object) -> None:
        if made[0] == moves:
            raise Killed
        made[0] += 1
        source.rename(target)  # and not noted: a process that is gone takes nothing back

    with monkeypatch.context() as patched:
        patched.setattr("backend.admin.file_swap._move", some)
        patched.setattr("backend.admin.restore._clean_up", lambda _: None)
        try:
            restore(locations_of(used), saved, force=True)
        except Killed:
            with pytest.raises(SettingsError, match="run the same restore again"):
                data_folder.DataFolderLock(used)
        else:
            assert moves == 6
    done = ["restore", str(saved), "--data-dir", str(used)]
    if made[0] < 6:
        run(done, {})
        assert "completed an earlier restore" in capsys.readouterr().err
    with open_folder(used) as folder:
        check_consistent(folder)
        assert folder.uploads.content("d0123456789abcdef").is_file()
    [aside] = used.glob("before-restore-*")
    assert (aside / "lossboard.sqlite").is_file()
    assert list((aside / "blobs").glob("??/*"))
    data_folder.DataFolderLock(used).release()
    assert not (used / data_folder.RESTORE_FOLDER).exists()


def test_runs_are_queued_again_with_unused_attempt_numbers(tmp_path: Path) -> None:
    with open_folder(tmp_path / "data") as folder:
        attempt = folder.running()
        cancelled = folder.running(b"b")
        with folder.database.write() as write:
            run_row = write.session.get(Run, cancelled.run)
            assert run_row
            run_row.cancel = True
        folder.save(tmp_path / "b.tar")
        locations = folder.locations
        with folder.database.write() as write:  # it went on, and was lost seven times a hundred
            row = write.session.get(Run, attempt.run)
            assert row
            row.attempt = 701
    restore(locations, tmp_path / "b.tar", force=True)
    with open_folder(tmp_path / "data") as folder:
        found = run_now(folder.database, attempt.run)
        assert (found.state, found.attempt, found.start_after) == ("queued", 801, 100)
        assert found.checkpoint
        assert run_now(folder.database, cancelled.run).state == "cancelled"
    assert read_attempts(tmp_path / "data" / "lossboard.sqlite")[attempt.run] == 801
    (tmp_path / "data" / "lossboard.sqlite").write_bytes(b"damaged" * 1000)
    restore(locations, tmp_path / "b.tar", force=True)
    with open_folder(tmp_path / "data") as folder:
        assert run_now(folder.database, attempt.run).attempt == 101


def test_a_restore_into_postgres_and_back(saved: Path, tmp_path: Path, postgres: Postgres) -> None:
    restore(locations_of(tmp_path / "sqlite"), saved)
    with open_folder(tmp_path / "sqlite") as folder:
        expected = sums_of(folder.database)
    with postgres.fresh() as url:
        locations = locations_of(tmp_path / "data", url)
        restore(locations, saved)
        with open_folder(tmp_path / "data", url) as folder:
            assert sums_of(folder.database) == expected
            check_consistent(folder)
            folder.save(tmp_path / "c.tar")
        with pytest.raises(AdminError, match="not empty; rows of"):
            restore(locations, saved, force=True)
    restore(locations_of(tmp_path / "back"), tmp_path / "c.tar")
    with open_folder(tmp_path / "back") as folder:
        assert sums_of(folder.database) == expected


def test_a_failing_postgres_changes_nothing(
    saved: Path, tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"

    def fails(*_: object, **__: object) -> None:
        raise AdminError("the copy is not what was read")

    with postgres.fresh() as url:
        locations = locations_of(folder, url)
        with monkeypatch.context() as patched:
            patched.setattr("backend.admin.restore.copy_database", fails)
            with pytest.raises(AdminError, match="not what was read"):
                restore(locations, saved)
        assert file_hashes(folder) == {}
        with monkeypatch.context() as patched:  # killed before the rows were there
            patched.setattr("backend.admin.restore.copy_database", fails)
            patched.setattr("backend.admin.restore._clean_up", lambda _: None)
            with pytest.raises(AdminError):
                restore(locations, saved)
        assert (folder / data_folder.RESTORE_JOURNAL).is_file()
        with monkeypatch.context() as patched:  # then killed between the rows and the files
            patched.setattr(file_swap.FileSwap, "finish", fails)
            patched.setattr("backend.admin.restore._clean_up", lambda _: None)
            with pytest.raises(AdminError):
                restore(locations, saved)
        with pytest.raises(SettingsError, match="was cut off"):
            data_folder.DataFolderLock(folder)
        assert restore(locations, saved).completed
        with open_folder(folder, url) as found:
            check_consistent(found)
            with found.database.read() as session:
                count = session.connection().execute(text("SELECT count(*) FROM comparison"))
                assert count.scalar() == 1
