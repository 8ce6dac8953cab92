"""The catalogue's entry for searches: what the form shows is what the contract takes."""

from typing import Any

import pytest

from contract.catalogue.catalogue import LOSSES, catalogue
from contract.catalogue.tuning import tuning_entry
from contract.comparison.spec import parse_spec
from contract.comparison.tuple_checks import TUPLES_ONLY
from contract.tuning.problems import tuning_problems
from contract.tuning.spaces import as_json, completed
from tests.support.specs import small

KINDS = [row.kind for row in LOSSES if row.kind not in TUPLES_ONLY]


def fits(where: dict[str, list[str]], arm: dict[str, Any]) -> bool:
    """Return whether a row has an effect in an arm, as the form decides it."""
    for path, values in where.items():
        section: Any = arm
        for part in path.split("."):
            section = section[part]
        if section not in values:
            return False
    return True


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("sampler", ["shuffle", "m_per_class"])
@pytest.mark.parametrize("reduction", ["mean", "balanced"])
def test_the_form_s_rows_give_the_ready_made_space(
    kind: str, optimizer: str, sampler: str, reduction: str
) -> None:
    if reduction == "balanced" and kind != "contrastive":
        return
    training = {
        "epochs": 2,
        "batch_size": 16,
        "optimizer": {"kind": optimizer},
        "sampler": {"kind": sampler, **({"m": 8} if sampler == "m_per_class" else {})},
    }
    loss = {"kind": kind, "reduction": reduction}
    arms = [{"name": "arm", "loss": loss}]
    spec = completed(parse_spec(small(arms=arms, training=training, tuning={})))
    written = {"loss": loss, "training": training}
    rows = [row for row in tuning_entry()["settings"][kind] if fits(row["where"], written)]
    space = {row["path"]: row["space"] for row in rows if row["space"]}
    assert space == as_json(spec.arms[0].search)
    shown = small(arms=[{**arms[0], "search": space}], training=training, tuning={})
    assert tuning_problems(shown) == []
    assert parse_spec(shown) == spec


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_can_be_searched_where_it_has_an_effect(kind: str) -> None:
    for row in tuning_entry()["settings"][kind]:
        arm: dict[str, Any] = {"name": "arm", "loss": {"kind": kind}}
        training: dict[str, Any] = {"epochs": 2, "batch_size": 16}
        written = {"loss": arm["loss"], "training": training}
        for path, [value, *_] in row["where"].items():
            section: Any = written
            *parents, last = path.split(".")
            for part in parents:
                section = section.setdefault(part, {})
            section[last] = value
        choices = row["choices"] or ([8, 16] if row["type"] == "integer" else [0.2, 0.4])
        if row["path"] == "training.sampler.m":
            choices = [4, 8]
        raw = small(
            arms=[{**arm, "search": {row["path"]: {"choices": choices}}}],
            training=training,
            tuning={},
        )
        assert tuning_problems(raw) == []
        assert row["title"]
        assert row["type"] in {"number", "integer", "choice"}


def test_the_catalogue_has_the_entry() -> None:
    entry = catalogue()["tuning"]
    assert entry == tuning_entry()
    assert set(entry["settings"]) == {*KINDS, *TUPLES_ONLY}
    assert "retrieval.map_at_r" in entry["objectives"]
    assert entry["schema"]["properties"]["trials"]["default"] == 24
