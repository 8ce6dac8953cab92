"""Receivers of alerts are in no backup, and a restore keeps those of its target."""

from pathlib import Path

from sqlmodel import col, select

from backend.admin.archive import DATABASE
from backend.admin.restore import restore
from backend.alerts import repository
from backend.alerts.outbox import store_alerts
from backend.db.database import Database
from backend.db.models import Alert, AlertDelivery, AlertReceiver, Comparison
from backend.runs import repository as runs
from tests.backend.backup_folders import open_folder, read_members
from tests.backend.helpers import submit
from tests.support.postgres import Postgres

SECRET_PATH = "services/open-sesame" + 1500 * "!"


def add(database: Database, name: str, comparison: str | None = None) -> AlertReceiver:
    with database.write() as write:
        return repository.create_receiver(
            write,
            comparison=comparison,
            name=name,
            url=f"https://hooks.example.org/{SECRET_PATH}",
            wanted=["comparison.ended"],
            user="Ada",
            now=1.0,
        )


def names(database: Database) -> list[str]:
    with database.read() as session:
        return sorted(session.exec(select(col(AlertReceiver.name))).all())


def test_a_backup_has_what_happened_and_no_receiver(tmp_path: Path) -> None:
    file = tmp_path / "b.tar"
    with open_folder(tmp_path / "old") as folder:
        folder.database.before_commit = store_alerts
        own = submit(folder.database, name="d").id
        made = [add(folder.database, "board"), add(folder.database, "own", own)]
        deleted = [add(folder.database, f"deleted {at}") for at in range(15)]  # several pages
        made += deleted
        for one in deleted:
            with folder.database.write() as write:
                repository.delete_receiver(write, one.id, None)
        with folder.database.write() as write:
            runs.cancel_all(write, own, now=2.0)
        folder.save(file)
        assert names(folder.database) == ["board", "own"], "they stay where they are"
    content = read_members(file)[DATABASE]
    assert b"open-sesame" not in content
    assert not any(one.secret.encode() in content for one in made)
    with open_folder(tmp_path / "new") as folder:
        locations = folder.locations
        add(folder.database, "ours")
        add(folder.database, "of another comparison", submit(folder.database).id)
    restore(locations, file, force=True)
    with open_folder(tmp_path / "new") as folder, folder.database.read() as session:
        assert names(folder.database) == ["ours"]
        assert session.exec(select(AlertDelivery)).all() == []
        [told] = session.exec(select(Alert)).all()
        assert told.content["text"] == "“d” has ended: 1 cancelled."


def test_a_restore_of_the_same_installation_keeps_those_of_its_comparisons(tmp_path: Path) -> None:
    file = tmp_path / "b.tar"
    with open_folder(tmp_path / "data") as folder:
        own = submit(folder.database).id
        folder.save(file)
        add(folder.database, "own", own)
        locations = folder.locations
    restore(locations, file, force=True)
    with open_folder(tmp_path / "data") as folder:
        assert names(folder.database) == ["own"]


def test_a_server_that_has_receivers_alone_counts_as_empty(
    tmp_path: Path, postgres: Postgres
) -> None:
    file = tmp_path / "b.tar"
    with open_folder(tmp_path / "old") as folder:
        own = submit(folder.database).id
        folder.save(file)
    with postgres.fresh() as url:
        with open_folder(tmp_path / "new", url) as folder:
            add(folder.database, "ours")
            locations = folder.locations
        restore(locations, file, force=True)
        with open_folder(tmp_path / "new", url) as folder, folder.database.read() as session:
            assert names(folder.database) == ["ours"]
            assert session.get(Comparison, own) is not None
