"""Which losses, samplers and objectives go with data that come as tuples."""

from typing import Any

import pytest

from contract.comparison.bundles import is_eligible
from contract.comparison.data import SHAPES, GeneratedTuplesData, PairsData, shape_of
from contract.comparison.problems import SpecError
from contract.comparison.spec import parse_spec
from contract.comparison.tuple_checks import LOSS_SHAPES, losses_of
from contract.tuning.objectives import objective_problem, possible_objectives
from tests.support.specs import small

STATIC = {"kind": "static_text", "embedding_dim": 8}


def paths(loss: dict[str, Any], shape: str = "pairs", **changes: Any) -> dict[str, str]:
    usual = {"data": {"kind": "generated_tuples", "shape": shape}, "encoder": STATIC}
    arms = [{"name": "a", "loss": loss}]
    try:
        parse_spec(small(**{**usual, "arms": arms, **changes}))
    except SpecError as error:
        return {problem.path: problem.message for problem in error.problems}
    return {}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_takes_its_losses_and_no_others(shape: str) -> None:
    for kind in (*LOSS_SHAPES, "n_pair", "arcface", "sup_con", "center_contrastive"):
        found = paths({"kind": kind}, shape)
        assert (found == {}) == (shape in LOSS_SHAPES.get(kind, ())), kind
    assert "take 'c" in paths({"kind": "sup_con"}, shape)["arms[0].loss.kind"]
    plugin = {"kind": "plugin", "name": "pml.CircleLoss"}
    assert "arms[0].loss.kind" in paths(plugin, shape)


def test_cosent_needs_scores_or_labels() -> None:
    digits: dict[str, Any] = {"data": {"kind": "digits"}, "encoder": {"kind": "mlp"}}
    found = paths({"kind": "cosent"}, "", **digits)
    assert "'labelled_pairs', 'scored_pairs'; 'digits' has classes" in found["arms[0].loss.kind"]


def test_selections_and_samplers_by_class_are_refused() -> None:
    found = paths(
        {"kind": "triplet", "selection": "semi_hard"},
        training={"batch_size": 8, "sampler": {"kind": "m_per_class", "m": 2}},
    )
    assert set(found) == {"arms[0].loss.selection", "training.sampler.kind"}


def test_items_of_a_feature_table_ask_for_an_encoder_of_vectors() -> None:
    data = {"kind": "pairs", "dataset": "d1", "items": "d2"}
    assert set(paths({"kind": "triplet"}, data=data)) == {"encoder.kind"}
    assert paths({"kind": "triplet"}, data=data, encoder={"kind": "mlp"}) == {}
    assert set(paths({"kind": "triplet"}, data={"kind": "pairs"})) == {"data.dataset"}
    given = {"kind": "pairs", "dataset": "d1", "split": "given"}
    assert set(paths({"kind": "triplet"}, data=given, replicate="split")) == {"replicate"}


@pytest.mark.parametrize("shape", SHAPES)
def test_objectives_are_those_that_are_measured(shape: Any) -> None:
    data = GeneratedTuplesData(shape=shape)
    found = possible_objectives(data)
    assert found == [key for key in possible_objectives() if not objective_problem(key, data)]
    scored = shape == "scored_pairs"
    assert ("pairs.spearman" in found) == scored
    assert ("pairs.mrr" in found) == (not scored)
    assert all(key.startswith("pairs.") for key in found)
    assert "take pairs." in objective_problem("retrieval.map_at_r", data)
    digits = parse_spec(small()).data
    assert "'digits' has classes" in objective_problem("pairs.mrr", digits)


def test_runs_on_tuples_are_trained_alone() -> None:
    arms = [{"name": "a", "loss": {"kind": "triplet"}}]
    spec = parse_spec(small(data={"kind": "generated_tuples"}, encoder=STATIC, arms=arms))
    assert not is_eligible(spec, spec.arms[0], "cpu")


def test_shapes_of_data() -> None:
    assert shape_of(PairsData(dataset="d")) == "pairs"
    assert shape_of(GeneratedTuplesData(shape="triplets")) == "triplets"
    assert shape_of(parse_spec(small()).data) is None
    assert losses_of("scored_pairs") == ["cosent"]
