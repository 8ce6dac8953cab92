"""Losses that workers bring, in the form and in lists of settings."""

from typing import Any

from contract.catalogue.catalogue import catalogue
from contract.catalogue.plugins import loss_rows, search_rows, with_trainable
from contract.comparison.plugins import with_defaults
from contract.comparison.spec import parse_spec
from frontend.comparison.spec_text import arm_settings, reductions_text
from frontend.form.from_spec import read_spec
from frontend.form.schema_fields import Choice, Field, read_form
from frontend.form.sweep.settings import sweep_settings
from frontend.form.to_spec import add_arm, all_arms, write_spec
from frontend.form.tuning.settings import first_space
from frontend.form.tuning.values import ready_settings, settings_of
from tests.support.plugin_entries import KNOWN, arm
from tests.support.specs import small

MINED = arm(
    "pml.ProxyAnchorLoss",
    params={"margin": 0.2},
    miner={"name": "MultiSimilarityMiner", "params": {"epsilon": 0.3}},
)
OURS = {"name": "ours", "loss": {"kind": "triplet"}}


def with_plugins() -> dict[str, Any]:
    """Return the catalogue as the API gives it once a worker has reported."""
    own = catalogue()
    usable = [one for one in KNOWN.values() if one.usable]
    settings = {
        **own["tuning"]["settings"],
        **{one.name: search_rows(one) for one in usable},
    }
    return {
        **own,
        "losses": [*own["losses"], *loss_rows(usable)],
        "training": with_trainable(own["training"], ["pml.ProxyAnchorLoss"]),
        "tuning": {**own["tuning"], "settings": settings},
    }


CATALOGUE = with_plugins()
FORM = read_form(CATALOGUE)


def stored(*arms: dict[str, Any], **changes: Any) -> dict[str, Any]:
    spec = with_defaults(parse_spec(small(arms=list(arms), **changes)), KNOWN)
    return spec.model_dump(mode="json")


def test_a_spec_comes_out_of_the_form_as_it_went_in() -> None:
    spec = stored(MINED, arm("siglip", params={"side": "right", "bias": -1.0}), OURS)
    values, problems = read_spec(spec, FORM)
    assert problems == []
    assert values["arms.0.loss.kind"] == "pml.ProxyAnchorLoss"
    assert values["arms.0.loss.miner.kind"] == "MultiSimilarityMiner"
    assert values["arms.0.loss.distance.kind"] == "none"
    written = write_spec(values, FORM)
    assert with_defaults(parse_spec(written), KNOWN) == parse_spec(spec)
    assert written["arms"][0]["loss"] == spec["arms"][0]["loss"]


def test_the_form_has_a_field_for_each_parameter() -> None:
    option = FORM.loss.option("siglip")
    assert (option.label, option.source) == ("Siglip", "/srv/losses")
    fields = {item.name: item for item in option.items if isinstance(item, Field)}
    assert [fields[f"params.{name}"].type for name in ("temperature", "bins", "side", "soft")] == [
        "number",
        "integer",
        "choice",
        "boolean",
    ]
    assert fields["params.bias"].optional
    assert fields["params.temperature"].excluded == (0.0,)
    [distance, miner] = [
        item for item in FORM.loss.option("pml.ProxyAnchorLoss").items if isinstance(item, Choice)
    ]
    assert [one.kind for one in miner.options] == ["none", "MultiSimilarityMiner", "BatchHardMiner"]
    assert distance.options[0].kind == "none"


def test_arms_are_added_swept_and_searched_like_ours() -> None:
    values, _ = read_spec(stored(MINED, tuning={"trials": 3}), FORM)
    swept = sweep_settings(all_arms(values)[0], values, FORM)
    assert {"loss.params.margin", "loss.miner.params.epsilon"} <= set(swept)
    ready = {one.path for one in ready_settings(FORM, values, 0)}
    assert ready == {
        "training.optimizer.lr",
        "training.optimizer.weight_decay",
        "training.optimizer.loss_lr",
    }
    named = {one.path: one for one in settings_of(FORM, values, 0)}
    assert named["loss.miner.params.epsilon"].has_effect(values, "arms.0")
    whole = {
        one.path: one for one in settings_of(FORM, read_spec(stored(arm("siglip")), FORM)[0], 0)
    }
    assert first_space(whole["loss.params.bins"], 10) == {"choices": [5, 10, 20]}
    assert add_arm(values, FORM.loss)["arms.1.loss.kind"] == "contrastive"


def test_a_spec_without_arms_gets_our_own_losses_alone() -> None:
    values, _ = read_spec({}, FORM)
    assert len(all_arms(values)) == 7


def test_lists_of_settings_show_a_plugin_like_a_loss() -> None:
    spec = stored(MINED, arm("siglip"), OURS)
    rows = {row.name: row.values for row in arm_settings(spec, CATALOGUE)}
    assert rows["Loss"] == ("ProxyAnchorLoss (pml)", "Siglip", "Triplet")
    assert rows["Miner"] == ("MultiSimilarityMiner", "", "")
    assert rows["Epsilon"] == ("0.3", "", "")
    assert rows["Temperature"] == ("", "0.1", "")
    assert reductions_text(spec) == "its own (pml.ProxyAnchorLoss, siglip), mean (ours)"
