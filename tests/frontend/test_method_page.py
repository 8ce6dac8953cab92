"""The Method page against a real HTTP server, through the real entry; and its pure half."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from contract.catalogue import catalogue
from contract.metrics import METRICS
from frontend.method_text import better, grouped, wanted
from tests.support.api_peer import ApiPeer, api_peer
from tests.support.ports import free_ports

MAIN = Path(__file__).parents[2] / "frontend" / "main.py"


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiPeer]:
    with api_peer() as peer:
        monkeypatch.setenv("LOSSBOARD_API_URL", peer.url)
        peer.answers["GET /catalogue"] = catalogue()
        st.cache_resource.clear()
        yield peer
        st.cache_resource.clear()


def opened(**query: str) -> AppTest:
    at = AppTest.from_file(str(MAIN), default_timeout=30)
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page("app_pages/method.py").run()
    assert not at.exception, at.exception
    return at


def said(at: AppTest) -> str:
    return "\n".join(block.value for block in [*at.markdown, *at.caption])


def test_every_loss_and_metric_of_the_catalogue_is_explained(peer: ApiPeer) -> None:
    at = opened()
    text, formulas = said(at), "\n".join(block.value for block in at.latex)
    assert len(METRICS) >= 39
    for key, metric in METRICS.items():
        assert f"`{key}`" in text
        assert metric.meaning in text
        assert metric.formula in formulas
    losses = catalogue()["losses"]
    assert len(losses) >= 2
    for row in losses:
        assert row["label"] in [header.value for header in at.subheader]
        assert row["formula"] in formulas
        assert row["url"] in text


def test_a_key_in_the_address_is_shown_first_and_its_group_open(peer: ApiPeer) -> None:
    at = opened(metric="geometry.mean_norm")
    assert "`geometry.mean_norm`" in at.markdown[0].value
    states = {fold.label.split("*")[2]: fold.proto.expanded for fold in at.expander}
    assert states["Geometry"]
    assert not states["Dynamics"]


def test_a_key_of_the_test_split_is_found(peer: ApiPeer) -> None:
    key = "test.retrieval.map_at_r"
    at = opened(metric=key)
    assert f"`{key}`" in at.markdown[0].value
    assert [fold.label for fold in at.expander if fold.proto.expanded] == ["**Test** · 11"]


def test_an_unknown_key_leads_to_all_that_exist(peer: ApiPeer) -> None:
    at = opened(metric="[dynamics](http://elsewhere)")
    assert r"There is no metric \[dynamics\]\(http\:\/\/elsewhere\)" in said(at)
    assert "Metrics" in [header.value for header in at.header]


def test_an_api_that_is_away_is_said_and_asked_again(
    peer: ApiPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    [port] = free_ports(1)
    monkeypatch.setenv("LOSSBOARD_API_URL", f"http://127.0.0.1:{port}")
    at = opened()
    assert "The method cannot be shown now" in said(at)
    assert at.button(key="method_again").label == "Try again"


def test_groups_hold_each_metric_once_and_unknown_prefixes_too() -> None:
    metrics = [*catalogue()["metrics"], {"key": "clustering.nmi", "better": "higher"}]
    found = grouped(metrics)
    keys = [member["key"] for _, members in found for member in members]
    assert sorted(keys) == sorted(metric["key"] for metric in metrics)
    assert [group.title for group, _ in found] == [
        "Dynamics",
        "Geometry",
        "Classification and retrieval",
        "Test",
        "Other",
    ]
    assert "clustering.nmi" in [member["key"] for member in found[-1][1]]


def test_which_way_is_better_is_said_in_words() -> None:
    metrics = catalogue()["metrics"]
    directions = {key: wanted(metrics, key) for key in METRICS}
    assert all(directions.values())
    assert better(directions["retrieval.recall_at_1"] or {}) == "↑ higher is better"
    assert better(directions["geometry.variance_ratio"] or {}) == "↓ lower is better"
    assert better(directions["geometry.mean_norm"] or {}) == ""
    assert wanted(metrics, "no.such") is None
