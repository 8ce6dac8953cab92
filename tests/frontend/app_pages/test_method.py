"""The Method page against a real HTTP server, through the entry page; and its texts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from contract.catalogue.catalogue import catalogue
from contract.catalogue.presets import PRESETS
from contract.metrics import METRICS
from frontend.ui.method_text import direction_text, find_metric, read_sections, split_sections
from tests.support.api_peer import ApiPeer, api_peer
from tests.support.ports import free_ports

MAIN = Path(__file__).parents[3] / "frontend" / "main.py"


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiPeer]:
    with api_peer() as peer:
        monkeypatch.setenv("LOSSBOARD_API_URL", peer.url)
        peer.answers["GET /catalogue"] = catalogue()
        st.cache_resource.clear()
        yield peer
        st.cache_resource.clear()


def opened(**query: str) -> AppTest:
    at = AppTest.from_file(str(MAIN), default_timeout=90)
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page("app_pages/method.py").run()
    assert not at.exception, at.exception
    return at


def said(at: AppTest) -> str:
    return "\n".join(block.value for block in [*at.markdown, *at.caption])


def test_the_page_shows_the_document_itself(peer: ApiPeer) -> None:
    at = opened()
    text = said(at)
    shown = [header.value for header in at.header]
    sections = read_sections()
    assert len(sections) > 8
    for section in sections:
        assert section.text in text
        if section.title:
            assert section.title in shown
            assert f"[{section.title}](#{section.anchor})" in text


def test_a_key_in_the_address_is_shown_first(peer: ApiPeer) -> None:
    at = opened(metric="geometry.mean_norm")
    assert "`geometry.mean_norm`" in at.markdown[0].value
    assert at.latex[0].value.strip("$\n ") == METRICS["geometry.mean_norm"].formula


def test_a_key_of_the_test_split_is_found(peer: ApiPeer) -> None:
    key = "test.retrieval.map_at_r"
    assert f"`{key}`" in opened(metric=key).markdown[0].value


def test_an_unknown_key_leads_to_all_that_exist(peer: ApiPeer) -> None:
    at = opened(metric="[dynamics](http://elsewhere)")
    assert r"There is no metric \[dynamics\]\(http\::small[]\/\/elsewhere\)" in said(at)
    assert "Dynamics" in [header.value for header in at.header]


def test_every_protocol_is_listed_with_its_needs_and_reported_values(peer: ApiPeer) -> None:
    text = said(opened())
    for preset in PRESETS:
        [line] = [line for line in text.splitlines() if line.startswith(f"| **{preset.label}** |")]
        assert preset.needs in line
        for reported in preset.reported:
            assert f"{reported.a:g} contrastive, {reported.b:g} triplet" in line
    assert sum(len(preset.reported) for preset in PRESETS) == 11


def test_an_api_that_is_away_leaves_the_text_and_is_asked_again(
    peer: ApiPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    [port] = free_ports(1)
    monkeypatch.setenv("LOSSBOARD_API_URL", f"http://127.0.0.1:{port}")
    at = opened()
    assert "Presets and single metrics cannot be shown now" in said(at)
    assert at.button(key="method_again").label == "Try again"
    assert "The verdict" in [header.value for header in at.header]


def test_a_document_is_split_at_its_sections(tmp_path: Path) -> None:
    sections = split_sections(
        "# Title\n\nfront\n\n## One & two\n\na\n\n### Deeper\n\nb\n\n## Three\n"
    )
    assert [(section.title, section.text) for section in sections] == [
        ("", "front"),
        ("One & two", "a\n\n### Deeper\n\nb"),
        ("Three", ""),
    ]
    assert [section.anchor for section in sections] == ["", "one-two", "three"]
    with pytest.raises(OSError, match=r"missing\.md"):
        read_sections(tmp_path / "missing.md")


def test_which_way_is_better_is_said_in_words() -> None:
    metrics = catalogue()["metrics"]
    directions = {key: find_metric(metrics, key) for key in METRICS}
    assert all(directions.values())
    assert direction_text(directions["retrieval.recall_at_1"] or {}) == "↑ higher is better"
    assert direction_text(directions["geometry.variance_ratio"] or {}) == "↓ lower is better"
    assert direction_text(directions["geometry.mean_norm"] or {}) == ""
    assert find_metric(metrics, "no.such") is None
