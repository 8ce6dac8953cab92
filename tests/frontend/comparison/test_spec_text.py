from typing import Any

from contract.catalogue.catalogue import catalogue
from contract.catalogue.presets import DEMO
from contract.comparison.spec import parse_spec
from frontend.comparison.spec_text import arm_settings, difference_text, measured_data, shared_facts

CATALOGUE = catalogue()


def spec(**changes: Any) -> dict[str, Any]:
    parsed = parse_spec({**DEMO, **changes})
    return parsed.model_dump(mode="json")


def arm(name: str, *, training: dict[str, Any] | None = None, **loss: Any) -> dict[str, Any]:
    return {"name": name, "loss": {"kind": name, **loss}, "training": training or {}}


def test_facts_read_as_sentences_of_the_catalogue() -> None:
    said = {fact.name: fact.value for fact in shared_facts(spec(), CATALOGUE)}
    assert said == {
        "Data": "Digits",
        "Encoder": "Small convnet, 64 dimensions, L2-normalised",
        "Optimiser": "Adam, lr 0.001",
        "Batch": "64, Shuffle",
        "Epochs": "20",
        "Seeds": "0, 1, 2, on one split",
    }


def test_many_seeds_are_counted() -> None:
    said = {fact.name: fact.value for fact in shared_facts(spec(seeds=list(range(9))), CATALOGUE)}
    assert said["Seeds"] == "9 (0 … 8), on one split"


def test_splits_and_practical_bounds_are_named() -> None:
    bounds = {"retrieval.": 0.02, "geometry.mean_norm": 1.1, "geometry.alignment": 0.05}
    bounds |= {"geometry.": 0.1}
    told = spec(replicate="split", practical=bounds)
    said = {fact.name: fact.value for fact in shared_facts(told, CATALOGUE, noun="split")}
    assert said["Seeds"] == "0, 1, 2, each with a split of its own"
    assert said["Practical bounds"] == (
        "Retrieval ±0.02, Mean norm ratio 1.1, Alignment ±0.05, geometry 0.1"
    )
    drawn = {fact.name: fact.value for fact in shared_facts(told, CATALOGUE, noun="draw")}
    assert drawn["Seeds"] == "0, 1, 2, each with data of its own"


def test_the_budget_of_a_search_is_named() -> None:
    for tuning, said in (
        ({}, "24 trials each"),
        ({"trials": 1, "folds": 4}, "1 trial each, 4 folds"),
    ):
        facts = {fact.name: fact.value for fact in shared_facts(spec(tuning=tuning), CATALOGUE)}
        assert facts["Tuning"] == said


def test_a_spec_of_an_earlier_version_varies_the_seed() -> None:
    old = {name: value for name, value in spec().items() if name not in ("replicate", "practical")}
    said = {fact.name: fact.value for fact in shared_facts(old, CATALOGUE)}
    assert said["Seeds"] == "0, 1, 2, on one split"
    assert "Practical bounds" not in said


def test_a_fair_comparison_says_that_nothing_else_differs() -> None:
    rows = arm_settings(spec(), CATALOGUE)
    assert [row.name for row in rows] == [
        *("Loss", "Margin", "Distance", "Tuples", "Reduction", "Positive margin", "Hinge")
    ]
    assert rows[0].values == ("Contrastive", "Triplet")
    assert difference_text(rows).startswith("Besides the loss nothing differs")


def test_one_arm_differs_from_nothing_and_that_is_not_called_fair() -> None:
    said = difference_text(arm_settings(spec(arms=[arm("contrastive", margin=1.0)]), CATALOGUE))
    assert said.startswith("One arm alone")


def test_differing_settings_besides_the_loss_are_named() -> None:
    arms = [
        arm("contrastive", margin=1.0, reduction="mean"),
        arm(
            "triplet",
            margin=0.2,
            reduction="mean_active",
            training={"batch_size": 32, "optimizer": {"kind": "sgd", "lr": 0.1}},
        ),
    ]
    rows = arm_settings(spec(arms=arms), CATALOGUE)
    values = {row.name: row.values for row in rows}
    assert values["Margin"] == ("1", "0.2")
    assert values["Reduction"] == ("mean", "mean active")
    assert values["Batch size"] == ("64", "32")
    assert values["Optimiser"] == ("Adam, lr 0.001", "SGD, lr 0.1, momentum 0.9")
    assert difference_text(rows) == (
        "Besides the loss, the arms differ in margin, reduction, batch size and optimiser."
    )


def test_a_pull_weight_counts_where_the_reduction_is_balanced() -> None:
    arms = [arm("contrastive", pull_weight=weight) for weight in (0.5, 0.2)]
    arms[1]["name"] = "other"
    said = difference_text(arm_settings(spec(arms=arms), CATALOGUE))
    assert said.startswith("Besides the loss nothing differs")
    for one in arms:
        one["loss"]["reduction"] = "balanced"
    rows = arm_settings(spec(arms=arms), CATALOGUE)
    assert {row.name: row.values for row in rows}["Pull weight"] == ("0.5", "0.2")
    assert difference_text(rows) == "Besides the loss, the arms differ in pull weight."


MARGIN = {"low": 0.1, "high": 2.0}
LR = {"low": 1e-4, "high": 1e-2, "log": True}


def searched(
    name: str, *paths: str, margin: float = 1.0, training: dict[str, Any] | None = None
) -> dict[str, Any]:
    spaces = {"loss.margin": MARGIN, "training.optimizer.lr": LR}
    own = arm(name, margin=margin, training=training)
    return {**own, "search": {path: spaces[path] for path in paths}}


BOTH = ("loss.margin", "training.optimizer.lr")


def test_what_is_tuned_does_not_differ_as_it_is_written() -> None:
    arms = [searched("contrastive", *BOTH), searched("triplet", *BOTH, margin=0.2)]
    tuned = spec(arms=arms, tuning={})
    rows = arm_settings(tuned, CATALOGUE)
    assert {row.name: row.values for row in rows}["Margin"] == ("1", "0.2")
    assert {row.name: row.searched for row in rows if row.is_tuned} == {
        "Margin": ("0.1 to 2", "0.1 to 2"),
        "Learning rate": ("0.0001 to 0.01 (log)", "0.0001 to 0.01 (log)"),
    }
    assert difference_text(rows) == (
        "Besides the loss nothing differs but what is tuned: margin and learning rate."
    )
    facts = {fact.name: fact.value for fact in shared_facts(tuned, CATALOGUE)}
    assert facts["Optimiser"] == "Adam, lr tuned"
    assert facts["Epochs"] == "20"
    tuned["tuning"]["folds"] = 4  # the final runs stop at the best epoch of the folds
    facts = {fact.name: fact.value for fact in shared_facts(tuned, CATALOGUE)}
    assert facts["Epochs"] == "20, at most"


def test_what_only_some_arms_are_tuned_over_differs() -> None:
    sgd = {"optimizer": {"kind": "sgd", "lr": 0.1}}
    arms = [
        searched("contrastive", *BOTH),
        searched("triplet", "training.optimizer.lr", training=sgd),
    ]
    tuned = spec(arms=arms, tuning={})
    rows = arm_settings(tuned, CATALOGUE)
    assert {row.name: row.values for row in rows}["Optimiser"] == (
        "Adam, lr tuned",
        "SGD, lr tuned, momentum 0.9",
    )
    assert difference_text(rows) == (
        "Besides the loss, the arms differ in margin (tuned in some arms only) and optimiser. "
        "Tuned: learning rate."
    )
    arms[1]["search"] = {"loss.margin": MARGIN}
    del arms[1]["training"]
    tuned = spec(arms=arms, tuning={})
    facts = {fact.name: fact.value for fact in shared_facts(tuned, CATALOGUE)}
    assert facts["Optimiser"] == "Adam, lr 0.001"
    assert difference_text(arm_settings(tuned, CATALOGUE)) == (
        "Besides the loss, the arms differ in learning rate (tuned in some arms only). "
        "Tuned: margin."
    )


def test_balanced_does_not_differ_from_the_mean_of_another_loss() -> None:
    arms = [arm("contrastive", reduction="balanced"), arm("triplet", reduction="mean")]
    rows = arm_settings(spec(arms=arms), CATALOGUE)
    assert difference_text(rows).startswith("Besides the loss nothing differs")
    arms.append({**arm("contrastive", reduction="mean"), "name": "all alike"})
    said = difference_text(arm_settings(spec(arms=arms), CATALOGUE))
    assert said == "Besides the loss, the arms differ in reduction."


def test_kinds_that_the_catalogue_does_not_know_keep_their_name() -> None:
    said = {fact.name: fact.value for fact in shared_facts(spec(), {})}
    assert said["Data"] == "digits"


def test_a_teams_own_data_a_backbone_and_augmentation_are_said() -> None:
    own = spec(
        data={"kind": "image_folder", "dataset": "d1", "split": "item"},
        encoder={"kind": "resnet18", "embedding_dim": 128, "tuning": "head"},
        training={"augmentation": "flip_shift", "precision": "bfloat16"},
    )
    said = {fact.name: fact.value for fact in shared_facts(own, CATALOGUE)}
    assert said["Data"] == "Your images, d1, split by item"
    assert said["Encoder"] == (
        "ResNet-18 (imagenet weights, head trains), 128 dimensions, L2-normalised"
    )
    assert said["Augmentation"] == "flip shift"
    assert said["Precision"] == "bfloat16"
    assert "Precision" not in {fact.name for fact in shared_facts(spec(), CATALOGUE)}
    named = {fact.name: fact.value for fact in shared_facts(own, CATALOGUE, "shoes")}
    assert named["Data"] == "Your images, shoes, split by item"


def test_the_second_modalitys_encoder_is_said() -> None:
    pairs = spec(
        data={"kind": "spoken_digits"},
        encoder={"kind": "audio_convnet"},
        visual_encoder={"kind": "convnet"},
    )
    said = {fact.name: fact.value for fact in shared_facts(pairs, CATALOGUE)}
    assert said["Visual encoder"] == "Small convnet"
    assert measured_data(pairs, CATALOGUE, fine_upload=None) == {
        "fine_labels": True,
        "two_modalities": True,
        "class_disjoint": False,
        "shape": "",
    }


def test_what_is_measured_follows_from_the_data() -> None:
    def fine(data: dict[str, Any], upload: bool | None = None) -> bool:
        made = {"data": data}
        return bool(measured_data(made, CATALOGUE, fine_upload=upload)["fine_labels"])

    assert not fine({"kind": "digits"})
    assert fine({"kind": "cifar100"})
    assert fine({"kind": "features", "file": "/there.npz"}), "only the worker can say"
    assert not fine({"kind": "features", "file": ""}, upload=False)
    assert fine({"kind": "features", "file": ""}, upload=True)
    assert not fine({"kind": "image_folder", "folder": "/there"})
    by_class = {"data": {"kind": "cub200", "split": "class"}}
    assert measured_data(by_class, CATALOGUE, fine_upload=None)["class_disjoint"]


def test_texts_and_their_encoders_are_said() -> None:
    def said(**encoder: Any) -> dict[str, str]:
        data = {"kind": "text", "dataset": "d1", "split": "given"}
        told = spec(data=data, encoder={"kind": "static_text", **encoder})
        return {fact.name: fact.value for fact in shared_facts(told, CATALOGUE, upload="clinc")}

    assert said()["Data"] == "Your texts, clinc, its own split"
    assert said()["Encoder"].startswith("Static text (bundled, frozen), 64 dimensions")
    own = said(model="team/potion", tuning="full")["Encoder"]
    assert own.startswith("Static text (team/potion, trains as a whole)")


def test_parameters_of_two_plugins_with_one_name_are_two_settings() -> None:
    def plugin(name: str, alpha: float) -> dict[str, Any]:
        loss = {"kind": "plugin", "name": name, "params": {"alpha": alpha}}
        return {"name": name, "loss": loss, "training": {}}

    told = spec()
    told["arms"] = [plugin("pml.MultiSimilarityLoss", 2.0), plugin("pml.ProxyAnchorLoss", 32.0)]
    rows = arm_settings(told, CATALOGUE)
    assert [row.values for row in rows[1:]] == [("2", ""), ("", "32")]
    assert difference_text(rows).startswith("Besides the loss nothing differs")
    told["arms"] = [plugin("pml.ProxyAnchorLoss", 2.0), plugin("pml.ProxyAnchorLoss", 32.0)]
    assert difference_text(arm_settings(told, CATALOGUE)) == (
        "Besides the loss, the arms differ in alpha."
    )
