"""The tab Model on the page of a comparison, against a real HTTP server."""

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from frontend.comparison.tabs.model import card_text, run_url
from tests.support.api_peer import ApiPeer
from tests.support.comparison_page import ID, comparison_peer, infos, lay, opened
from tests.support.models_shown import kept_model, model, models, parts


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiPeer]:
    with comparison_peer(monkeypatch) as peer:
        yield peer


def shown(peer: ApiPeer, found: dict[str, Any], state: str = "succeeded") -> AppTest:
    lay(peer, state, succeeded=4)
    peer.answers[f"GET /comparisons/{ID}/models"] = found
    for run in found["runs"]:
        peer.answers[f"GET /runs/{run['run']}/model"] = model(run["run"])
    at = opened(tab="model")
    assert not at.exception
    return at


def links(at: AppTest) -> list[str]:
    urls = [link.proto.url for link in at.get("link_button")]
    return [url for url in urls if "/runs/" in url]  # the others are exports


def page_text(at: AppTest) -> str:
    return "\n".join(element.value for element in at.markdown)


def test_it_picks_the_suggested_model_and_says_why(peer: ApiPeer) -> None:
    at = shown(peer, models())
    arm, seed = at.selectbox
    assert (arm.value, seed.value) == ("triplet", 1)
    assert arm.options == ["contrastive", "triplet (suggested)"]
    assert seed.options == ["0 (validation MAP@R 0.500)", "1 (validation MAP@R 0.600, the best)"]
    said = page_text(at)
    assert "**triplet, seed 1** is suggested" in said
    assert "\\<b\\>" in said, "names of people are text"
    run = "r-triplet-1"
    assert links(at) == [
        run_url(run, file)
        for file in (
            "model.zip",
            "embeddings.parquet",
            "projector/vectors.tsv",
            "projector/metadata.tsv",
        )
    ]
    install, script, atlas = (code.value for code in at.code)
    assert install.startswith("pip install torch numpy\npython embed.py")
    assert script == f"# of {run}\nimport torch"
    assert atlas == "embedding-atlas embeddings.parquet --vector embedding"
    [files] = at.dataframe
    assert list(files.value["Size"]) == ["24 kB", "700 bytes"]
    assert "library_name" not in said
    assert "An encoder." in said
    assert any("cannot open Parquet" in caption.value for caption in at.caption)


def test_another_arm_and_seed_can_be_taken(peer: ApiPeer) -> None:
    at = shown(peer, models())
    at.selectbox[0].set_value("contrastive").run()
    at.selectbox[1].set_value(0).run()
    assert not at.exception
    assert links(at)[0] == run_url("r-contrastive-0", "model.zip")


def test_arms_that_are_level_say_so(peer: ApiPeer) -> None:
    at = shown(peer, models(level=["triplet", "contrastive"], why_arm="No clear difference."))
    assert at.selectbox[0].options == ["contrastive (as good a choice)", "triplet (suggested)"]
    assert "No clear difference" in page_text(at)


def test_a_run_of_an_older_version_has_no_model(peer: ApiPeer) -> None:
    at = shown(peer, models(kept_model("triplet", 1, parts=[], score=None)))
    [info] = infos(at)
    assert "not kept for runs of older versions" in info
    assert links(at) == []


def test_a_part_that_is_not_kept_says_why_and_the_others_stay(peer: ApiPeer) -> None:
    problem = "900.0 MB are more than the 512.0 MB of the setting LOSSBOARD_MAX_MODEL_MB"
    at = shown(peer, models(kept_model("triplet", 1, parts=parts(weights=problem))))
    [warning] = at.warning
    assert "The weights are not kept: 900" in warning.value
    assert [link.rsplit("/", 1)[1] for link in links(at)] == [
        "embeddings.parquet",
        "vectors.tsv",
        "metadata.tsv",
    ]


@pytest.mark.parametrize(("state", "said"), [("running", "when it succeeds"), ("failed", "failed")])
def test_a_run_that_has_not_succeeded(peer: ApiPeer, state: str, said: str) -> None:
    other = kept_model("contrastive", 0, state=state, parts=[], score=None)
    at = shown(peer, models(kept_model("triplet", 1), other))
    at.selectbox[0].set_value("contrastive").run()
    [info] = infos(at)
    assert said in info
    assert links(at) == []


@pytest.mark.parametrize(
    ("state", "said"),
    [("running", "shows here by itself"), ("failed", "no model to take")],
)
def test_without_a_model_the_tab_says_why(peer: ApiPeer, state: str, said: str) -> None:
    at = shown(peer, {"suggested": None, "runs": []}, state)
    [info] = infos(at)
    assert said in info


def test_models_that_cannot_be_read_are_no_failure_of_the_page(peer: ApiPeer) -> None:
    lay(peer, "succeeded", succeeded=4)
    at = opened(tab="model")
    assert not at.exception
    assert "cannot be read now" in at.error[0].value


def test_a_card_is_shown_without_its_front_matter() -> None:
    assert card_text("---\na: b\n---\n\n# One\n\ntext --- more\n") == "### One\n\ntext --- more"
    assert card_text("no front matter") == "no front matter"
