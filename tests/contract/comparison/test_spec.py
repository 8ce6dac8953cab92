"""The spec: which ones are accepted, and that all problems are reported at once with their path."""

import copy
import math
from typing import Any

import pytest

from contract.catalogue import presets
from contract.catalogue.catalogue import catalogue
from contract.catalogue.presets import PRESETS
from contract.comparison.data import class_count, modalities, training_items
from contract.comparison.loss import ContrastiveLoss, NPairLoss, TripletLoss
from contract.comparison.problems import SpecError
from contract.comparison.spec import ComparisonSpec, parse_spec
from contract.comparison.training import MPerClassSampler, SgdOptimizer

DEMO: dict[str, Any] = dict(presets.DEMO)


def changed(**sections: Any) -> dict[str, Any]:
    """Return the spec of the demo with some sections replaced."""
    return {**copy.deepcopy(DEMO), **sections}


def problems(raw: object) -> dict[str, str]:
    """Return path -> message of all problems of a spec, which must have some."""
    with pytest.raises(SpecError) as caught:
        parse_spec(raw)
    found = caught.value.problems
    assert len({path for path, _ in found}) == len(found), "one problem a path in these tests"
    return dict(found)


def preset_specs() -> dict[str, dict[str, Any]]:
    """Return the specs of all presets, each that needs an upload with one."""
    return {
        preset.id: {**preset.spec, "data": {**preset.spec["data"], "dataset": "d1"}}
        if preset.needs
        else preset.spec
        for preset in PRESETS
        if preset.spec is not None
    }


def test_presets_are_valid_and_survive_a_round_trip() -> None:
    specs = [parse_spec(raw) for raw in preset_specs().values()]
    assert len(specs) == 20
    for spec in specs:
        assert parse_spec(spec.model_dump(mode="json")) == spec
        assert ComparisonSpec.model_validate_json(spec.model_dump_json()) == spec


def test_a_preset_without_a_spec_or_without_its_data_says_what_it_needs() -> None:
    for preset in PRESETS:
        if preset.spec is None:
            assert preset.needs
            continue
        own = preset.spec["data"]["kind"] in ("image_folder", "features", "text")
        assert own == bool(preset.needs)
        if own:
            assert set(problems(preset.spec)) == {"data.dataset"}


def test_every_preset_but_the_demo_has_ten_seeds_and_a_place_in_the_form() -> None:
    for preset in PRESETS:
        assert preset.group
        assert preset.short
        if preset.spec is not None:
            assert preset.spec["seeds"] == list(range(3 if preset.id == "digits" else 10))
    assert len({preset.id for preset in PRESETS}) == len(PRESETS)


def test_the_protocols_of_zeng_2025_sample_their_tuples_as_the_paper_does() -> None:
    own = [preset.spec for preset in PRESETS if preset.group == "Zeng 2025, the paper's sampling"]
    assert len(own) == 5
    for raw in own:
        for arm in parse_spec(raw).arms:
            assert isinstance(arm.loss, ContrastiveLoss | TripletLoss)
            assert arm.loss.selection == "sampled"


def test_every_protocol_of_zeng_2025_has_a_balanced_twin() -> None:
    specs = {preset.id: preset.spec for preset in PRESETS if preset.spec is not None}
    own = [id_ for id_ in specs if id_.startswith("z25-") and not id_.endswith("-balanced")]
    for id_ in own:
        twin = specs[f"{id_}-balanced"]
        same = ("data", "encoder", "training", "measure", "seeds")
        assert [twin.get(name) for name in same] == [specs[id_].get(name) for name in same]
        contrastive, triplet = (arm.loss for arm in parse_spec(twin).arms)
        assert isinstance(contrastive, ContrastiveLoss)
        assert isinstance(triplet, TripletLoss)
        assert (contrastive.reduction, contrastive.pull_weight) == ("balanced", 0.5)
        assert contrastive.selection == triplet.selection == "all"


def test_the_n_pair_loss_has_no_floor_in_presets() -> None:
    for raw in preset_specs().values():
        for arm in parse_spec(raw).arms:
            if isinstance(arm.loss, NPairLoss):
                floor = math.log1p(9 * math.exp(-arm.loss.scale * 10 / 9))
                assert floor < 0.01


def test_fine_grained_classification_is_split_by_item_so_that_it_has_its_probe() -> None:
    [preset] = [preset for preset in PRESETS if preset.id == "z25-classification"]
    for kind in ("cub200", "cars196"):
        assert preset.spec is not None
        spec = parse_spec({**preset.spec, "data": {"kind": kind, "split": "item"}})
        assert getattr(spec.data, "split") == "item"  # noqa: B009
    assert "CARS196" in preset.idea


def test_defaults_fill_what_is_left_out() -> None:
    spec = parse_spec(DEMO)
    assert spec.training.optimizer.kind == "adam"
    assert spec.training.sampler.kind == "shuffle"
    assert spec.measure.evaluate_every == 1
    assert spec.notes == ""


def test_every_problem_of_every_section_comes_back_at_once() -> None:
    raw = changed(
        data={"kind": "synthetic", "classes": 1},
        encoder={"kind": "mlp", "hiden": 3},
        training={"epochs": 0, "optimizer": {"kind": "sgd", "momentum": 1.0}},
        arms=[
            {"name": "a", "loss": {"kind": "contrastive", "margin": -1}},
            {"name": "b", "loss": {"kind": "zoo"}},
        ],
        seeds=list(range(10_000)),
        colour="red",
    )
    found = problems(raw)
    assert set(found) == {
        "data.classes",
        "encoder.hiden",
        "training.epochs",
        "training.optimizer.momentum",
        "arms[0].loss.margin",
        "arms[1].loss",
        "seeds",
        "colour",
    }
    assert "unknown key" in found["colour"]
    assert "got -1" in found["arms[0].loss.margin"]
    assert "'zoo'" in found["arms[1].loss"]
    assert "'triplet'" in found["arms[1].loss"]
    assert "10000 items" in found["seeds"]


@pytest.mark.parametrize("raw", [None, 5, "spec", [], [DEMO]])
def test_a_value_that_is_no_object_is_one_problem_of_the_whole_spec(raw: object) -> None:
    assert set(problems(raw)) == {""}


def test_an_empty_arm_list_is_refused() -> None:
    assert set(problems(changed(arms=[]))) == {"arms"}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_margin_must_be_finite(value: float) -> None:
    arms = [{"name": "a", "loss": {"kind": "triplet", "margin": value}}]
    assert set(problems(changed(arms=arms))) == {"arms[0].loss.margin"}


def test_problems_between_sections_are_found_with_other_problems() -> None:
    raw = changed(
        data={"kind": "synthetic"},
        training={"batch_size": 64, "sampler": {"kind": "m_per_class", "m": 4}},
        seeds=[],
    )
    assert set(problems(raw)) == {"encoder.kind", "training.sampler.m", "seeds"}


@pytest.mark.parametrize(
    ("batch_size", "m", "path"),
    [
        (63, 4, "training.batch_size"),
        (64, 4, "training.sampler.m"),
        (2000, 500, "training.batch_size"),
    ],
)
def test_a_batch_must_fit_the_data(batch_size: int, m: int, path: str) -> None:
    training = {"batch_size": batch_size, "sampler": {"kind": "m_per_class", "m": m}}
    assert path in problems(changed(training=training))


@pytest.mark.parametrize(
    ("data", "items"),
    [({"kind": "mnist"}, 50_000), ({"kind": "mnist", "train_items": 120}, 120)],
)
def test_mnist_has_the_requested_number_of_training_items(data: dict[str, Any], items: int) -> None:
    encoder = {"kind": "convnet"}
    spec = parse_spec(changed(data=data, encoder=encoder, training={"batch_size": min(items, 512)}))
    assert training_items(spec.data) == items
    assert class_count(spec.data) == 10
    assert modalities(spec.data).items == "images"
    found = problems(changed(data={"kind": "mnist", "train_items": 99}))
    assert set(found) == {"data.train_items"}


def test_a_batch_must_fit_the_requested_training_items() -> None:
    raw = changed(data={"kind": "mnist", "train_items": 120}, training={"batch_size": 121})
    assert problems(raw) == {
        "training.batch_size": "121 is more than the 120 training items of 'mnist'"
    }


def test_names_and_seeds_are_unique() -> None:
    arm = {"name": "same", "loss": {"kind": "triplet"}}
    found = problems(changed(arms=[arm, arm], seeds=[3, 1, 3]))
    assert found == {"arms[1].name": "'same' is used twice", "seeds[2]": "3 is used twice"}


def test_a_seed_is_the_same_however_it_is_written() -> None:
    assert problems(changed(seeds=[3, "3", 3.0, "x"])).keys() == {
        "seeds[1]",
        "seeds[2]",
        "seeds[3]",
    }


def test_an_arm_may_override_training_and_its_rules_hold_there_too() -> None:
    arms: list[dict[str, Any]] = [
        {"name": "a", "loss": {"kind": "triplet"}},
        {
            "name": "b",
            "loss": {"kind": "triplet"},
            "training": {
                "batch_size": 40,
                "sampler": {"kind": "m_per_class", "m": 8},
                "optimizer": {"kind": "sgd"},
            },
        },
    ]
    spec = parse_spec(changed(arms=arms))
    own = spec.training_of(spec.arm("b"))
    assert own.batch_size == 40
    assert own.sampler == MPerClassSampler(m=8)
    assert own.optimizer == SgdOptimizer()
    assert own.epochs == spec.training.epochs
    assert spec.training_of(spec.arm("a")) == spec.training

    arms[1]["training"]["batch_size"] = 41
    assert set(problems(changed(arms=arms))) == {"arms[1].training.batch_size"}


def test_the_catalogue_is_json_that_names_every_kind() -> None:
    content = catalogue()
    kinds = {
        section: [row["kind"] for row in content[section]]
        for section in ("data", "encoders", "losses", "samplers", "optimizers")
    }
    assert kinds == {
        "data": [
            "digits",
            "synthetic",
            "mnist",
            "fashion_mnist",
            "cifar10",
            "cifar100",
            "cub200",
            "cars196",
            "sop",
            "tiny_imagenet",
            "image_folder",
            "features",
            "generated_text",
            "text",
            "generated_tuples",
            "pairs",
            "triplets",
            "labelled_pairs",
            "scored_pairs",
            "spoken_digits",
            "paired_features",
        ],
        "encoders": [
            "mlp",
            "convnet",
            "audio_convnet",
            "resnet18",
            "resnet50",
            "vit_b_32",
            "efficientnet_lite0",
            "static_text",
            "transformer_text",
        ],
        "losses": [
            "contrastive",
            "triplet",
            "n_pair",
            "info_nce",
            "arcface",
            "sup_con",
            "center_contrastive",
            "cosent",
        ],
        "samplers": ["shuffle", "m_per_class"],
        "optimizers": ["adam", "adamw", "sgd"],
    }
    for row in content["losses"]:
        if row["classes"]:
            assert row["schema"]["properties"]["reduction"]["default"] == "mean"
        assert row["formula"]
        assert row["url"].startswith("https://")
    for row in content["data"]:
        assert row["items"] in {"vectors", "images", "spectrograms", "texts"}
        assert (row["visual"] is None) == (row["modalities"] == 1)
        assert bool(row["size"]) == (row["source"] in {"fetched", "placed"})
    for row in content["encoders"]:
        assert row["takes"]
        assert ("texts" in row["takes"]) == row["kind"].endswith("_text")


IMAGES = {"kind": "image_folder", "dataset": "d1"}
SPOKEN = {"kind": "spoken_digits"}
RESNET = {"kind": "resnet18"}
TEXT = {"kind": "text", "dataset": "d1"}
STATIC = {"kind": "static_text"}
TRANSFORMER = {"kind": "transformer_text"}


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"data": IMAGES, "encoder": RESNET}, set()),
        ({"data": {"kind": "image_folder"}, "encoder": RESNET}, {"data.dataset"}),
        ({"data": {**IMAGES, "folder": "/f"}, "encoder": RESNET}, {"data.dataset"}),
        ({"data": {"kind": "features", "file": "/f"}, "encoder": RESNET}, {"encoder.kind"}),
        ({"data": {"kind": "features", "file": "/f"}, "encoder": {"kind": "mlp"}}, set()),
        ({"data": IMAGES, "encoder": {**RESNET, "weights": "file"}}, {"encoder.weights_file"}),
        ({"data": IMAGES, "encoder": {**RESNET, "weights_file": "w"}}, {"encoder.weights_file"}),
        ({"data": TEXT, "encoder": STATIC}, set()),
        ({"data": {"kind": "text"}, "encoder": STATIC}, {"data.dataset"}),
        ({"data": {"kind": "generated_text"}, "encoder": RESNET}, {"encoder.kind"}),
        ({"data": IMAGES, "encoder": STATIC}, {"encoder.kind"}),
        ({"data": TEXT, "encoder": TRANSFORMER}, {"encoder.model"}),
        ({"data": TEXT, "encoder": {**TRANSFORMER, "model": "team/bert-1"}}, set()),
        ({"data": TEXT, "encoder": {**STATIC, "model": "/srv/m"}}, {"encoder.model"}),
        ({"data": TEXT, "encoder": {**STATIC, "model": "a/../../b"}}, {"encoder.model"}),
        ({"data": TEXT, "encoder": {**STATIC, "model": ".hidden"}}, {"encoder.model"}),
        ({"data": TEXT, "encoder": {**STATIC, "model": "a\\b"}}, {"encoder.model"}),
        (
            {
                "data": TEXT,
                "encoder": STATIC,
                "training": {"batch_size": 8, "augmentation": "flip_shift"},
            },
            {"training.augmentation"},
        ),
        (
            {"data": {**TEXT, "split": "given"}, "encoder": STATIC, "replicate": "split"},
            {"replicate"},
        ),
        ({"data": SPOKEN, "encoder": {"kind": "audio_convnet"}}, {"visual_encoder"}),
        (
            {
                "data": SPOKEN,
                "encoder": {"kind": "audio_convnet"},
                "visual_encoder": {"kind": "convnet"},
            },
            set(),
        ),
        (
            {
                "data": SPOKEN,
                "encoder": {"kind": "resnet18"},
                "visual_encoder": {"kind": "audio_convnet", "embedding_dim": 8, "normalize": False},
            },
            {
                "encoder.kind",
                "visual_encoder.kind",
                "visual_encoder.embedding_dim",
                "visual_encoder.normalize",
            },
        ),
        ({"visual_encoder": {"kind": "mlp"}}, {"visual_encoder"}),
        ({"visual_encoder": {"kind": "mlp", "hidden": 0}}, {"visual_encoder.hidden"}),
        ({"training": {"augmentation": "flip"}}, set()),
        (
            {"data": {"kind": "synthetic"}, "encoder": {"kind": "mlp"}}
            | {"training": {"augmentation": "flip"}},
            {"training.augmentation"},
        ),
        (
            {"data": IMAGES, "encoder": RESNET, "training": {"augmentation": "flip_shift"}},
            {"training.augmentation"},
        ),
        (
            {"data": IMAGES, "encoder": {**RESNET, "tuning": "head"}}
            | {"training": {"augmentation": "flip_shift"}},
            set(),
        ),
    ],
)
def test_data_encoders_and_augmentation_must_fit(change: dict[str, Any], paths: set[str]) -> None:
    raw = changed(**change)
    if paths:
        assert set(problems(raw)) == paths
    else:
        assert parse_spec(raw).data.kind == raw["data"]["kind"]


@pytest.mark.parametrize(
    ("data", "classes"),
    [
        ({"kind": "cifar100"}, 20),
        ({"kind": "cifar100", "train_labels": "fine"}, 100),
        ({"kind": "cub200"}, None),
        ({"kind": "spoken_digits"}, 10),
    ],
)
def test_class_counts_are_known_or_left_to_the_data(
    data: dict[str, Any], classes: int | None
) -> None:
    encoder = {"kind": "mlp"}
    second = {"visual_encoder": encoder} if data["kind"] == "spoken_digits" else {}
    spec = parse_spec(changed(data=data, encoder=encoder, **second))
    assert class_count(spec.data) == classes
