"""The migrations lead to the models' schema, and work in both directions."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlmodel import SQLModel

from backend.db import migrations
from backend.db.database import Database
from backend.runs.repository import of_comparison
from tests.backend.helpers import claim, run_now, submit


def test_models_and_migrations_agree(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    tables = set(inspect(database.engine).get_table_names())
    assert tables == {*SQLModel.metadata.tables, "alembic_version"}
    assert len(tables) == 27


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_storage_options_are_migrated_too(database: Database) -> None:
    with database.read() as session:
        rows = session.connection().execute(text("SELECT name, sql FROM sqlite_master"))
        sql = {row.name: row.sql for row in rows}
        assert session.connection().execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert session.connection().execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert session.connection().execute(text("PRAGMA synchronous")).scalar() == 1
    assert "WITHOUT ROWID" in sql["point"]
    assert "WITHOUT ROWID" in sql["rollup"]
    assert "WITHOUT ROWID" in sql["fine_rollup"]
    assert "AUTOINCREMENT" in sql["series"]


def test_down_and_up_again(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'walk.sqlite'}")
    migrations.upgrade(database)
    submit(database)
    migrations.downgrade(database, "base")
    assert inspect(database.engine).get_table_names() == ["alembic_version"]
    migrations.upgrade(database)
    submit(database)
    database.close()


def test_an_older_database_keeps_its_runs(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'older.sqlite'}")
    migrations.upgrade(database, "0001")
    with database.write() as write:
        write.session.connection().execute(
            text("INSERT INTO comparison VALUES ('c1', 'old', '', 'Ada', 1.0, '[]', '{}')")
        )
        columns = "id, comparison_id, position, arm, seed, priority, state, attempt, strikes"
        columns += ", cancel, committed_seq, start_after, step, total_steps, steps_per_epoch"
        values = "'r1', 'c1', 0, 'a', 0, 0, 'queued', 1, 0, 0, 0, 0, 0, 0, 0"
        write.session.connection().execute(
            text(f"INSERT INTO run ({columns}, created_at) VALUES ({values}, 1.0)")
        )
    migrations.upgrade(database)
    run = run_now(database, "r1")
    assert (run.state, run.preparing) == ("queued", None)
    assert (run.created_by, run.wants) == ("Ada", "auto")
    assert (run.role, run.trial_id, run.trial_number, run.fold) == ("final", None, None, None)
    migrations.downgrade(database, "0001")
    migrations.upgrade(database)
    assert run_now(database, "r1") == run
    database.close()


@pytest.mark.parametrize("revision", ["0008", "0011"])
def test_runs_of_a_database_without_trials_are_final_ones(
    database: Database, revision: str
) -> None:
    submit(database)
    run = claim(database)
    assert run is not None
    migrations.downgrade(database, revision)
    migrations.upgrade(database)
    assert run_now(database, run.id) == run
    assert (run.role, run.trial_id, run.trial_number, run.fold) == ("final", None, None, None)
    with database.read() as session:
        assert [one.id for one in of_comparison(session, run.comparison_id)] == [run.id]


def test_upgrading_twice_keeps_the_data(database: Database) -> None:
    comparison = submit(database)
    migrations.upgrade(database)
    with database.read() as session:
        assert session.connection().execute(text("SELECT id FROM comparison")).scalar() == (
            comparison.id
        )
