"""What many trials cost: no answer asks the database once for each of them."""

import pytest
from sqlmodel import col, update

from backend.db.database import Database
from backend.db.models import Run
from backend.state import Parts
from backend.tuning.engine import Engine
from tests.backend.helpers import Api
from tests.support.statements import count_statements
from tests.support.tuned import TunedComparison, store_tuned

PATHS = (
    "/comparisons/{id}",
    "/comparisons/{id}/tuning",
    "/comparisons/{id}/tuning/sensitivity?path=loss.margin",
    "/comparisons/{id}/runs?role=all",
    "/comparisons/{id}/verdict",
    "/comparisons/{id}/export?format=csv&what=trials",
    "/comparisons/{id}/export?what=all",
    "/comparisons",
    "/arms",
    "/queue",
)


def store(database: Database, times: int) -> TunedComparison:
    states = ["complete", "failed", "running", "waiting"] * times
    return store_tuned(database, {"pull": states, "rank": states})


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_takes_the_same_statements_for_few_and_many_trials(
    api: Api, parts: Parts, path: str
) -> None:
    counts = []
    for times in (1, 10):
        made = store(parts.database, times)
        with count_statements(parts.database) as sent:
            asked = api.http.get(f"/api/v1{path.format(id=made.id)}")
        assert asked.status_code == 200, asked.text
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_a_step_takes_the_same_statements_for_few_and_many_trials(quick_database: Database) -> None:
    counts = []
    for times in (1, 10):
        states = ["waiting"] * times
        made = store_tuned(quick_database, {"pull": states, "rank": states})
        over = update(Run).where(col(Run.comparison_id) == made.id).values(state="failed")
        with quick_database.write() as write:
            write.session.exec(over)
        with count_statements(quick_database) as sent:
            Engine(quick_database, lambda: 2000.0).advance()
        counts.append(len(sent))
    assert counts[0] == counts[1]
