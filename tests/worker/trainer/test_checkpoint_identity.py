"""The identity of a training: a run of an older version goes on from its checkpoint."""

import hashlib
import json
from typing import Any

import pytest
import torch

from contract.catalogue.presets import DEMO
from contract.comparison.spec import ComparisonSpec, parse_spec
from worker.trainer.checkpoint import FORMAT, training_identity

CPU = torch.device("cpu")
BEFORE: list[tuple[dict[str, Any], str, str]] = [
    (
        {"kind": "contrastive"},
        "adam",
        "ec83d68df09a7db1cb51b0fdd81654cfe6a217f9353574856a41501df4ceb143",
    ),
    (
        {"kind": "triplet"},
        "adam",
        "a759baa800e31ca18ee1bb7e9923da0461775f2f7eb6ded0633d15ba90d8a634",
    ),
    (
        {"kind": "n_pair"},
        "adam",
        "b633174a83786b4b3b4cfbbf2e438bf7e0262ad393cf70816f412aeac3840f30",
    ),
    (
        {"kind": "info_nce"},
        "adam",
        "fa0991822d9486429abdcb250b3307bbb680f4c5394d8fdb78f80701228f0051",
    ),
    (
        {"kind": "arcface"},
        "adam",
        "03d1117f2353d4f1bc147204de9099e6b2bbca1ed6a344af080cbf826051a202",
    ),
    (
        {"kind": "sup_con"},
        "adam",
        "ffcacc041cd5b32e3e9f2b0de54784adb755a6c26efda279419cfbea3d216b81",
    ),
    (
        {"kind": "center_contrastive"},
        "adam",
        "84eca08517aeb5265d7357f5ba21da117a50bb97b1657962479f86fd3d23bc40",
    ),
    (
        {"kind": "contrastive", "reduction": "sum", "selection": "semi_hard"},
        "sgd",
        "c0acfa9d06fa69774b72b3080844ddf2dc04abad5605e5e896eacc92f172eaaa",
    ),
    (
        {"kind": "arcface", "scale": 1.0},
        "adamw",
        "ae6aaaf999e26dfbd8beadc046aff2c8fbb2550286a537032b0eef0181b2dd18",
    ),
]
"""Loss, optimiser, and the identity that their run had before the contrastive loss
had forms, n-pair a scale and losses a learning rate of their own."""


def spec_of(loss: dict[str, Any], optimizer: dict[str, Any]) -> ComparisonSpec:
    return parse_spec(
        {
            "name": "old",
            "data": {"kind": "digits"},
            "encoder": {"kind": "mlp"},
            "training": {"epochs": 3, "batch_size": 256, "optimizer": optimizer},
            "arms": [{"name": "arm", "loss": loss}],
            "seeds": [3],
        }
    )


def identity(loss: dict[str, Any], optimizer: dict[str, Any]) -> str:
    spec = spec_of(loss, optimizer)
    return training_identity(spec, spec.arms[0], 3, CPU)


@pytest.mark.parametrize(("loss", "optimizer", "before"), BEFORE, ids=str)
def test_a_run_of_an_older_version_goes_on(
    loss: dict[str, Any], optimizer: str, before: str
) -> None:
    assert identity(loss, {"kind": optimizer}) == before


@pytest.mark.parametrize(
    "changed",
    [
        {"pull_weight": 0.4},
        {"reduction": "balanced"},
        {"positive_margin": 0.1},
        {"hinge": "linear"},
    ],
    ids=str,
)
def test_a_run_of_another_loss_does_not(changed: dict[str, Any]) -> None:
    adam: dict[str, Any] = {"kind": "adam"}
    plain = identity({"kind": "contrastive"}, adam)
    assert identity({"kind": "contrastive", **changed}, adam) != plain


def test_nor_one_of_another_scale_or_learning_rate() -> None:
    adam: dict[str, Any] = {"kind": "adam"}
    for kind in ("n_pair", "arcface"):
        assert len({identity({"kind": kind, "scale": s}, adam) for s in (1.0, 2.0, 64.0)}) == 3
    arcface = {"kind": "arcface"}
    assert identity(arcface, {**adam, "loss_lr": 0.001}) != identity(arcface, adam)


def test_later_settings_of_data_do_not_change_it() -> None:
    """Checkpoints of that version were written before `background` and `merge` existed."""
    spec = parse_spec({**DEMO, "data": {"kind": "image_folder", "folder": "/a"}})
    arm = spec.arms[0]
    facts = {
        "format": FORMAT,
        "device": "cpu",
        "seed": 0,
        "loss": arm.loss.model_dump(mode="json"),
        "training": spec.training_of(arm).model_dump(mode="json"),
        **spec.model_dump(mode="json", include={"data", "encoder", "visual_encoder", "measure"}),
    }
    del facts["data"]["background"], facts["data"]["merge"]
    del facts["training"]["optimizer"]["loss_lr"]
    for name in ("pull_weight", "positive_margin", "hinge"):
        del facts["loss"][name]
    before = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    assert training_identity(spec, arm, 0, torch.device("cpu")) == before
    white = parse_spec(
        {**DEMO, "data": {"kind": "image_folder", "folder": "/a", "background": "white"}}
    )
    assert training_identity(white, white.arms[0], 0, torch.device("cpu")) != before
