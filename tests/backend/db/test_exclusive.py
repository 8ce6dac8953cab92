"""One API process holds a database and a data folder; a second one ends with one line."""

import signal
import threading
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from backend.admin.locations import Locations
from backend.db import exclusive
from backend.db.database import BusyError, Database
from backend.db.exclusive import FileHold, InUseError, ServerHold, hold_database
from backend.db.models import StreamPosition
from backend.storage import data_folder
from tests.backend.helpers import submit
from tests.support.api_process import ApiProcess, api_process
from tests.support.postgres import Postgres
from tests.support.specs import small
from tests.support.waiting import until

ALREADY = "already serves"


def refusal(api: ApiProcess) -> str:
    """Return the one line with which a process that may not serve has ended."""
    assert api.wait_for_end() != 0
    assert "Traceback" not in api.log
    [line] = [line for line in api.log.splitlines() if ALREADY in line]
    assert len(api.log.splitlines()) <= 2, api.log  # uvicorn adds that the start failed
    return line


@pytest.mark.slow
def test_a_second_process_ends_and_the_first_one_serves_on(tmp_path: Path, broker_url: str) -> None:
    folder, link, other = (tmp_path / name for name in ("data", "link", "other"))
    folder.mkdir()
    link.symlink_to(folder)
    own = {"REDIS_URL": broker_url, "LOSSBOARD_DATA_DIR": str(folder)}
    same_folder = {**own, "LOSSBOARD_DATA_DIR": str(link)}
    same_folder["LOSSBOARD_DATABASE_URL"] = f"sqlite:///{tmp_path / 'another.sqlite'}"
    same_database = {**own, "LOSSBOARD_DATA_DIR": str(other)}
    same_database["LOSSBOARD_DATABASE_URL"] = "sqlite:///link/lossboard.sqlite"
    with api_process(tmp_path / "1.log", own) as first:
        first.wait_until_it_serves()
        with (
            api_process(tmp_path / "2.log", same_folder) as second,
            api_process(tmp_path / "3.log", same_database, cwd=tmp_path) as third,
        ):
            assert f"process {first.process.pid}" in (line := refusal(second))
            assert f"the data folder {folder}," in line
            assert f"the database {folder / 'lossboard.sqlite'}," in refusal(third)
        assert httpx.get(f"{first.url}/queue").status_code == 200
        first.process.send_signal(signal.SIGKILL)
        first.wait_for_end()
        with api_process(tmp_path / "4.log", own) as next_one:
            next_one.wait_until_it_serves()


@pytest.mark.slow
def test_two_workers_of_one_server_end_both(tmp_path: Path, broker_url: str) -> None:
    own = {"REDIS_URL": broker_url, "LOSSBOARD_DATA_DIR": str(tmp_path / "data")}
    with api_process(tmp_path / "log", own, "--workers", "2") as both:
        both.wait_for_end()
        assert not both.answers()
    assert ALREADY in both.log
    assert "--workers must be 1" in both.log
    assert "Traceback" not in both.log
    data_folder.DataFolderLock(tmp_path / "data").release()  # nobody holds it any more


def test_commands_work_beside_the_process_that_holds_it(tmp_path: Path, broker_url: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    held = data_folder.DataFolderLock(folder)
    locations = Locations(folder, f"sqlite:///{folder / 'lossboard.sqlite'}")
    with locations.database(make=True) as database:
        hold = hold_database(database.engine)
        with locations.lock("backed up", data_folder.BACKUP_LOCK):
            pass
        hold.release()
    held.release()


def test_paths_of_one_file_are_one_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "folder").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "file").symlink_to(tmp_path / "real" / "x.sqlite")
    monkeypatch.chdir(tmp_path)
    paths = (tmp_path / "real" / "x.sqlite", "folder/x.sqlite", "folder/../real/x.sqlite")
    databases = [Database(f"sqlite:///{path}") for path in (*paths, "real/file")]
    with databases[0].engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x)")
    hold = hold_database(databases[0].engine)
    for database in databases:
        with pytest.raises(InUseError, match=r"real/x\.sqlite"):
            hold_database(database.engine)
    hold.release()
    for database in databases:
        hold_database(database.engine).release()
        database.close()


def test_a_lock_file_of_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("process 1 on nowhere\n")
    FileHold(tmp_path / "lock", "it").release()


@pytest.fixture
def on_server(postgres: Postgres, migrated_template: str) -> object:
    with postgres.fresh(migrated_template) as url:
        yield url


def end_sessions_that_hold(database: Database) -> None:
    """End the sessions that are kept for advisory locks, as an administrator or a restart would."""
    with database.engine.connect() as connection:
        ended = connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        )
        assert ended.all() == [(True,)]
        left = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        until(lambda: connection.execute(left).scalar() == 0, "the session to end")


def test_a_lost_session_is_replaced_before_the_next_write(on_server: str) -> None:
    first, second = Database(on_server), Database(on_server)
    first.hold = hold_database(first.engine)
    submit(first, name="a")
    with pytest.raises(InUseError, match="of the server"):
        hold_database(second.engine)
    for name in ("b", "c"):
        end_sessions_that_hold(second)
        submit(first, name=name)
        with pytest.raises(InUseError):
            hold_database(second.engine)
    first.close()
    second.hold = hold_database(second.engine)
    submit(second, name="d")
    second.close()


def test_a_session_that_is_just_ending_is_waited_for(
    on_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exclusive, "ENDING_S", 60.0)
    first, second = Database(on_server), Database(on_server)
    first.hold = hold_database(first.engine)
    ending = threading.Timer(0.2, first.close)
    ending.start()
    second.hold = hold_database(second.engine)
    ending.join()
    submit(second, name="a")
    second.close()


def test_a_process_that_lost_the_database_writes_nothing_more(on_server: str) -> None:
    first, second = Database(on_server), Database(on_server)
    problems: list[str] = []
    first.on_taken = problems.append
    first.hold = hold_database(first.engine)
    end_sessions_that_hold(second)
    second.hold = hold_database(second.engine)
    for _ in range(2):
        with pytest.raises(BusyError, match=ALREADY):
            submit(first)
    assert len(problems) == 1
    with second.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM comparison")).scalar() == 0
    submit(second)
    first.close()
    second.close()


def test_who_takes_it_waits_for_the_last_write_of_the_process_before(on_server: str) -> None:
    first, second = Database(on_server), Database(on_server)
    first.hold = hold_database(first.engine)
    taken = threading.Event()

    def take() -> None:
        second.hold = ServerHold(second.engine)
        taken.set()

    taker = threading.Thread(target=take)
    with first.write() as write:
        end_sessions_that_hold_alone(second)
        taker.start()
        asked = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        with second.engine.connect() as connection:
            until(lambda: connection.execute(asked).scalar(), "the taker to wait")
        assert not taken.is_set()
        write.session.add(StreamPosition(entry="7-0"))
    taker.join()
    second.load_position()
    assert second.position == "7-0"
    first.on_taken = lambda _: None
    with pytest.raises(BusyError, match=ALREADY), first.write():
        pytest.fail("it wrote")
    first.close()
    second.close()


def end_sessions_that_hold_alone(database: Database) -> None:
    """The same while a write of the holder goes on, whose session also has an advisory lock."""
    with database.engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'"
            )
        )
        left = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        until(lambda: connection.execute(left).scalar() == 1, "the session to end")


@pytest.mark.slow
def test_a_process_whose_database_was_taken_ends(
    tmp_path: Path, broker_url: str, on_server: str
) -> None:
    own = {"REDIS_URL": broker_url, "LOSSBOARD_DATABASE_URL": on_server}
    folders = [{"LOSSBOARD_DATA_DIR": str(tmp_path / name)} for name in "12"]
    with api_process(tmp_path / "1.log", {**own, **folders[0]}) as first:
        first.wait_until_it_serves()
        with api_process(tmp_path / "2.log", {**own, **folders[1]}) as second:
            assert "the database postgresql" in refusal(second)
        other = Database(on_server)
        end_sessions_that_hold(other)
        answer = httpx.post(f"{first.url}/comparisons", json=small(), timeout=60)
        assert answer.status_code == 201, answer.text  # it has taken it again
        end_sessions_that_hold(other)
        other.hold = hold_database(other.engine)
        answer = httpx.post(f"{first.url}/comparisons", json=small(), timeout=60)
        assert answer.status_code == 503, answer.text
        assert first.wait_for_end() != 0
        other.close()
    [line] = [line for line in first.log.splitlines() if "this process ends" in line]
    assert ALREADY in line
    assert "Traceback" not in first.log
