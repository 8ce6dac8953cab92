"""The search of a comparison in its report and tables, against a real API."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.app import create_app
from backend.settings import Settings
from frontend.api.client import Api
from frontend.export.file_writer import latex_tables, verdict_text
from frontend.export.report_data import read
from frontend.export.report_page import page
from tests.support.serving import serving
from tests.support.specs import small
from tests.support.tuned import ARMS, store_tuned

EVIL = "</script><script>alert(1)</script>"
STATES = {EVIL: ["complete", "failed", "complete"], "rank": ["failed"] * 3}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, broker: Any) -> Iterator[tuple[Api, str]]:
    """A client and the id of a comparison whose second arm has no complete trial."""
    folder: Path = tmp_path_factory.mktemp("searches")
    url = f"sqlite:///{folder / 'lossboard.sqlite'}"
    made = create_app(Settings(folder, url, broker.url, "secret"))
    arms = [{**ARMS[0], "name": EVIL}, ARMS[1]]
    with serving(made) as address, httpx.Client(base_url=address, timeout=60) as http:
        database = made.state.parts.database
        own = store_tuned(database, STATES, {EVIL: ["succeeded"] * 2}, arms=arms)
        yield Api(http), own.id


def test_the_report_has_the_search_with_its_figure(found: tuple[Api, str]) -> None:
    text = page(read(*found))
    assert EVIL not in text
    assert '<h2 id="tuning">Tuning</h2>' in text
    assert "3 trials for every arm, random draws; judged by MAP@R on validation data" in text
    assert "mean over 2 folds" in text
    assert "Best MAP@R on validation data: " in text
    assert "<strong>⚠ rank</strong> all 3 trials failed" in text
    assert "<b>0.3</b><small>0.1 to 2</small>" in text
    figures = json.loads(re.findall(r'id="figures">(.*?)</script>', text, re.DOTALL)[0])["figures"]
    assert figures["tuning.budget"]["name"] == "Value of the budget"


def test_the_verdict_as_markdown_has_the_search(found: tuple[Api, str]) -> None:
    text = verdict_text(*found, "markdown")
    assert "## Tuning" in text
    assert "**rank: all 3 trials failed" in text
    assert "| rank | 3 | 3 | – | – | – |" in text
    assert "| Margin | 0.3 of 0.1 to 2 | – |" in text
    assert "<script>" not in text.replace("\\<", "")


def test_the_tables_in_latex_have_the_search(found: tuple[Api, str]) -> None:
    text = latex_tables(*found)
    assert r"-tuning}" in text
    assert "-settings}" in text
    assert r"Margin & 0.3 of 0.1 to 2 & -- \\" in text
    assert "mean over 2 folds. rank: all 3 trials failed" in text
    assert r"rank & 3 & 3 & -- & -- & -- \\" in text


def test_without_a_search_none_of_them_mentions_one(found: tuple[Api, str]) -> None:
    api, _ = found
    own = api.create(small())["id"]
    assert 'id="tuning"' not in page(read(api, own))
    assert "## Tuning" not in verdict_text(api, own, "markdown")
    assert "-tuning" not in latex_tables(api, own)
