"""The report and the tables of a comparison whose texts are as hostile as its form allows."""

import base64
import copy
import hashlib
import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from backend.app import create_app
from backend.settings import Settings
from contract.metrics import METRICS
from frontend.api.client import Api
from frontend.comparison.results_table import result_sections
from frontend.export import latex
from frontend.export.latex_text import escape_latex
from frontend.export.report_data import GROUPS, Material, drawn, leaderboards, read
from frontend.export.report_page import MODULES, page
from frontend.ui.assets import LIVE_FOLDER
from tests.backend.scripted_runs import PAIR, Curves, per_epoch, scripted_comparison
from tests.support.serving import serving
from tests.support.specs import small

EVIL = "</script><script>alert(1)</script>"
ARMS = [{**PAIR[0], "name": f"a{EVIL}"}, {**PAIR[1], "name": "b_%&{}"}]


def curves(arm: str, seed: int) -> Curves:
    better = 0.1 if arm.startswith("a") else 0.0
    return {
        "dynamics.loss": per_epoch(1.0, *[0.5 - 0.01 * i for i in range(10)]),
        "dynamics.trivial_loss": per_epoch(0.6, *[0.6] * 10, swing=0),
        "dynamics.pull_share": per_epoch(
            None, *[0.5 if arm.startswith("a") else 0.1] * 10, swing=0
        ),
        "dynamics.active_ratio": per_epoch(1.0, *[0.5 + better] * 10),
        "retrieval.recall_at_1": {0: 0.1, 50: 0.5, 100: 0.8 + better + 0.001 * seed},
        "test.retrieval.recall_at_1": {100: 0.7 + better + 0.001 * seed},
    }


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, broker: Any) -> Iterator[tuple[FastAPI, Api]]:
    folder = tmp_path_factory.mktemp("report")
    url = f"sqlite:///{folder / 'lossboard.sqlite'}"
    made = create_app(Settings(folder, url, broker.url, "secret"))
    with serving(made) as address, httpx.Client(base_url=address, timeout=60) as http:
        yield made, Api(http)


@pytest.fixture(scope="module")
def material(app: tuple[FastAPI, Api]) -> Material:
    served, api = app
    texts: Any = {"name": f"100 % {EVIL}", "notes": f"*seen* {EVIL}", "tags": [f"t{EVIL}"]}
    own = scripted_comparison(served.state.parts.database, curves, arms=ARMS, **texts)
    return read(api, own)


@pytest.fixture(scope="module")
def text(material: Material) -> str:
    return page(material)


class Elements(HTMLParser):
    """Every element with its attributes, and the texts of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._in_script = tag == "script"
        if self._in_script:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data


def test_no_text_that_people_typed_becomes_an_element(text: str) -> None:
    elements = Elements(text)
    assert len(elements.scripts) == 3, "the figures, Plotly, and what draws"
    assert EVIL not in text
    assert not [
        attrs for _, attrs in elements.found if any(name.startswith("on") for name in attrs)
    ]


def test_no_other_text_that_may_be_hostile_becomes_an_element(material: Material) -> None:
    everything = copy.deepcopy(material.everything)
    everything["comparison"] |= {"id": EVIL, "created_by": EVIL}
    everything["versions"] = {EVIL: EVIL}
    everything["leaderboard"]["advice"] = EVIL
    [metric] = everything["leaderboard"]["metrics"]
    metric |= {"said": EVIL, "label": EVIL}
    metric["arms"][0] |= {"state": EVIL, "rank": None, "letters": EVIL}
    everything["verdict"] |= {"summary": EVIL, "advice": EVIL, "caveats": [EVIL]}
    everything["runs"][0] |= {"device": EVIL, "error": {"message": EVIL, "cause": "", "step": 1}}
    everything["runs"][0]["states"] = [{"state": "collapsed", "step": 1, "message": EVIL}]
    text = page(replace(material, everything=everything, upload=EVIL))
    assert EVIL not in text
    assert len(Elements(text).scripts) == 3
    everything["verdict"]["arms"] = None
    text = page(replace(material, everything=everything))
    assert EVIL not in text
    assert len(Elements(text).scripts) == 3


def test_nothing_is_loaded_from_elsewhere(text: str) -> None:
    for tag, attributes in Elements(text).found:
        assert "src" not in attributes
        assert tag not in {"link", "iframe", "object", "embed", "base", "form"}
        assert (attributes.get("href") or "#").startswith("#")
    assert "@import" not in text.partition("</style>")[0]
    assert "url(" not in text.partition("</style>")[0]


def test_the_policy_comes_first_and_allows_exactly_these_scripts(text: str) -> None:
    elements = Elements(text)
    names = [tag for tag, _ in elements.found]
    [policy] = [a["content"] for t, a in elements.found if "http-equiv" in a and t == "meta"]
    assert policy
    assert policy.startswith("default-src 'none'; ")
    assert names.index("style") > names.index("meta") + 1
    hashes = set(re.findall(r"'sha256-([^']+)'", policy))
    _, *scripts = elements.scripts
    assert hashes == {
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts
    }
    assert "unsafe-eval" not in policy
    assert "script-src 'unsafe-inline'" not in policy


def test_the_figures_are_the_measured_curves_over_all_seeds(material: Material, text: str) -> None:
    groups = drawn(material)
    keys = [figure.key for figures in groups.values() for figure in figures]
    assert keys == ["dynamics.loss", "dynamics.active_ratio", "retrieval.recall_at_1"]
    [recall] = groups["Retrieval and classification of the held-out embeddings"]
    assert [list(trace.x) for trace in recall.figure.data[1::2]] == [[0, 5, 10]] * 2
    assert recall.figure.data[1].y[2] == pytest.approx(0.901)
    assert recall.figure.data[0].fill == "toself", "three seeds have a band"
    content = json.loads(Elements(text).scripts[0])
    ranked = "leaderboard.test.retrieval.recall_at_1"
    assert list(content["figures"]) == [ranked, *keys]
    for key in (ranked, *keys):
        assert f'id="chart-{key}"' in text


def test_the_chart_of_the_loss_has_the_trivial_loss(material: Material) -> None:
    [loss] = [
        one for group in drawn(material).values() for one in group if one.key.endswith("loss")
    ]
    line = loss.figure.data[-1]
    assert (line.name, list(line.y), list(line.x)) == ("trivial loss", [0.6, 0.6], [0, 10])
    assert loss.caption.endswith(
        " Trivial loss (all embeddings in one point): 0.6. Share of the loss's weight that pulls: "
        f"50 % ({material.arms[0]}), 10 % ({material.arms[1]})."
    )


def test_every_curve_of_the_report_is_a_metric() -> None:
    keys = [key for group in GROUPS.values() for key in group]
    assert set(keys) <= set(METRICS)
    assert len(keys) == len(set(keys))


def test_it_ranks_all_arms(material: Material, text: str) -> None:
    [(metric, figure)] = leaderboards(material)
    assert metric["said"] in html.unescape(text)
    means = [
        trace.x[0] for trace in figure.figure.data if (trace.hovertemplate or "")[:4] == "mean"
    ]
    assert means == pytest.approx([0.801, 0.701]), "the best on top"
    assert "<table class='lb-table lb-ranks'>" in text


def test_it_contains_what_a_reader_needs(material: Material, text: str) -> None:
    assert text.count("data-claim='") == 9
    assert "secondary source" in text
    for name, version in material.everything["versions"].items():
        assert f"{name} {version}" in text
    assert "95 %" in text
    assert "6 of 6 runs finished" in text
    assert "Besides the loss nothing differs" in text
    assert text.count("<td>succeeded</td>") == 6
    assert "light-dark(#0072b2, #4ba3e3)" in text, "arms keep their colours on both themes"


def test_a_comparison_without_anything_measured_has_a_report(app: tuple[FastAPI, Api]) -> None:
    api = app[1]
    own = api.create(small(name="new"))["id"]
    text = page(read(api, own))
    assert text.count("Nothing was measured yet.") == 3
    assert "0 of 1 runs finished" in text
    assert json.loads(Elements(text).scripts[0])["figures"] == {}


def tables(material: Material) -> str:
    everything = material.everything
    found = result_sections(everything["summary"], material.arms)
    name = everything["comparison"]["name"]
    ranked = everything["leaderboard"]["metrics"]
    own = everything["comparison"]["id"]
    return latex.latex_document(
        latex.Material(own, name, material.arms, found, everything["verdict"], "seeds", ranked)
    )


def test_latex_has_a_table_for_each_section_and_the_verdict(material: Material) -> None:
    text = tables(material)
    found = result_sections(material.everything["summary"], material.arms)
    assert text.count(r"\toprule") == text.count(r"\end{table}") == len(found) + 2
    labels = re.findall(r"\\label\{([^}]*)\}", text)
    assert len(labels) == len(set(labels)) == len(found) + 2
    assert r"\textbf{0.8010 $\pm$ 0.0010}$^*$ & 0.7010 $\pm$ 0.0010 \\" in text, "the best is bold"
    ranked = text.partition("-leaderboard}")[2].partition(r"\end{table}")[0]
    assert r"& Recall@1 \\" in ranked
    assert r"0.8010 $\pm$ 0.0010$^{a}$ \\" in ranked
    assert r"0.7010 $\pm$ 0.0010$^{a}$ \\" in ranked, "equal differences at 3 seeds tell nothing"
    verdict = text.partition("-verdict}")[2]
    assert len(re.findall(r"^\d\. ", verdict, re.MULTILINE)) == 9


def test_latex_escapes_what_people_type(material: Material) -> None:
    text = tables(material)
    assert r"b\_\%\&\{\}" in text
    bare = re.sub(r"\\[{}%&_$#]", "", text)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    comments = [line for line in bare.splitlines() if "%" in line]
    assert [line[0] for line in comments] == ["%", "%"], "what is behind a % is lost"
    assert escape_latex("a\n\\input{x}") == r"a \textbackslash{}input\{x\}"


def test_a_report_says_how_the_gradient_was_reduced(app: tuple[FastAPI, Api]) -> None:
    served, api = app
    own = scripted_comparison(
        served.state.parts.database,
        lambda arm, seed: {"dynamics.gradient_norm": per_epoch(None, *[1.0] * 10)},
        seeds=[0],
    )
    [[figure]] = drawn(read(api, own)).values()
    assert figure.caption.startswith("Reduction: mean. ")
    assert len(figure.figure.data[0].x) == 0, "one seed has no band"


def test_the_module_of_the_report_is_readable() -> None:
    folder = Path(__file__).parents[3] / "frontend" / "export"
    assert all(
        len(path.read_text().splitlines()) <= 250 for path in folder.iterdir() if path.is_file()
    )


def test_each_module_of_the_report_imports_only_from_those_before_it() -> None:
    of_pages = "pictures/js/server.js"  # the report has its own in its place
    known = {of_pages}
    for name in MODULES:
        path = LIVE_FOLDER.parent / name
        for imported in re.findall(r'^import .* from "(.+)";$', path.read_text(), re.MULTILINE):
            found = (path.parent / imported).resolve().relative_to(LIVE_FOLDER.parent.resolve())
            assert str(found) in known, f"{name} imports {found}"
        known.add(name)
