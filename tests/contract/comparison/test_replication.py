"""What the runs of an arm replicate, and which specs can split their data anew."""

import copy
from typing import Any

import pytest

from contract.catalogue.presets import DEMO
from contract.comparison.problems import SpecError
from contract.comparison.replication import replicates_text
from contract.comparison.spec import parse_spec, replication

RESNET = {"kind": "resnet18"}
MLP = {"kind": "mlp"}


def raw(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(DEMO), "replicate": "split", **changes}


def problems(spec: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(SpecError) as caught:
        parse_spec(spec)
    return dict(caught.value.problems)


def test_a_spec_without_the_key_replicates_the_seed_on_one_split() -> None:
    spec = parse_spec(DEMO)
    assert spec.replicate == "seed"
    assert replication(spec) == "seed"
    assert {spec.data_of(seed).seed for seed in spec.seeds} == {0}


def test_the_place_of_a_seed_counts_up_the_data_seed() -> None:
    spec = parse_spec(raw(seeds=[9, 4, 6], data={"kind": "digits", "seed": 20}))
    assert [spec.data_of(seed).seed for seed in (9, 4, 6)] == [20, 21, 22]
    assert spec.data.seed == 20


@pytest.mark.parametrize(
    ("data", "encoder", "kind", "said"),
    [
        ({"kind": "synthetic"}, MLP, "independent_draws", "10 draws of the data"),
        ({"kind": "digits"}, MLP, "dependent_splits", "10 splits"),
        (
            {"kind": "mnist"},
            {"kind": "convnet"},
            "fixed_test",
            "10 draws of the training items, one test set",
        ),
        (
            {"kind": "cifar100"},
            {"kind": "convnet"},
            "fixed_test",
            "10 draws of the training items, one test set",
        ),
        ({"kind": "cub200"}, RESNET, "dependent_splits", "10 splits"),
        ({"kind": "features", "file": "/a.npz"}, MLP, "dependent_splits", "10 splits"),
        ({"kind": "image_folder", "folder": "/a"}, RESNET, "dependent_splits", "10 splits"),
    ],
)
def test_the_kind_of_replication_follows_from_the_data(
    data: dict[str, Any], encoder: dict[str, Any], kind: str, said: str
) -> None:
    spec = parse_spec(raw(data=data, encoder=encoder))
    assert replication(spec) == kind
    assert replicates_text(replication(spec), 10) == said


def test_one_replicate_and_seeds_are_named_too() -> None:
    assert replicates_text("seed", 10) == "10 seeds on one split"
    assert replicates_text("seed", 1) == "1 seed on one split"
    assert replicates_text("dependent_splits", 1) == "1 split"


def test_a_split_of_the_data_s_own_cannot_be_drawn_again() -> None:
    given = {"kind": "image_folder", "folder": "/a", "split": "given"}
    found = problems(raw(data=given, encoder=RESNET, colour="red", seeds=[1, 1]))
    assert set(found) == {"replicate", "colour", "seeds[1]"}
    assert "split them by class or by item" in found["replicate"]
    assert parse_spec(raw(data=given, encoder=RESNET, replicate="seed"))


def test_the_last_data_seed_stays_below_the_limit() -> None:
    data = {"kind": "digits", "seed": 2**31 - 3}
    assert parse_spec(raw(data=data, seeds=[0, 1, 2]))
    found = problems(raw(data=data, seeds=[0, 1, 2, 3]))
    assert set(found) == {"data.seed"}
    assert f"at most {2**31 - 4}" in found["data.seed"]
    assert parse_spec(raw(data=data, seeds=[0, 1, 2, 3], replicate="seed"))


@pytest.mark.parametrize("wrong", ["splits", 1, None, ["split"], {"split": 1}])
def test_another_word_is_refused(wrong: object) -> None:
    assert "'seed' or 'split'" in problems(raw(replicate=wrong))["replicate"]
