"""What a run keeps of its trained model: the right weights, embeddings and counts, with faults."""

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load
from torch import nn

from contract.artifacts import Confusion, Keep
from contract.comparison.spec import parse_spec
from tests.support.kept_models import KeptRun, MemoryStore, kept_run
from tests.support.specs import small
from worker import measure
from worker.artifacts import Origin, TrainedModel, make
from worker.data import Split
from worker.encoders.networks import Backbone, BackboneWithHead, Preparation
from worker.errors import BlobRefusedError, CancelledError

RECALL = "test.retrieval.recall_at_1"


@pytest.fixture(scope="module")
def kept() -> KeptRun:
    # Data so noisy that the last epoch is not the best one.
    return kept_run(
        data={"kind": "synthetic", "classes": 4, "per_class": 30, "dim": 16, "overlap": 0.5},
        training={"epochs": 6, "batch_size": 32, "optimizer": {"kind": "adam", "lr": 0.01}},
        seeds=[3],
    )


def test_weights_are_those_of_the_epoch_whose_test_values_are_reported(kept: KeptRun) -> None:
    [(step, recall)] = kept.reporter.series[RECALL]
    [(last, _)] = kept.reporter.series["test.last.retrieval.recall_at_1"]
    assert step != last, "the test needs a run whose best epoch is not the last"
    stored = kept.embeddings
    values = measure.retrieval(
        torch.from_numpy(stored["embeddings"]), torch.from_numpy(stored["labels"])
    )
    assert values["retrieval.recall_at_1"] == recall
    facts = kept.parts["weights"].facts
    assert (facts["step"], facts["encoder"], facts["whole_backbone"]) == (step, "mlp", False)
    best = max(value or 0 for _, value in kept.reporter.series["retrieval.map_at_r"][1:])
    assert facts["score"] == best
    weights = load(kept.content("weights"))
    assert set(weights) == {f"layers.{at}.{what}" for at in (1, 3) for what in ("weight", "bias")}
    assert sum(weight.numel() for weight in weights.values()) == facts["parameters"]


def test_the_confusion_counts_each_test_item_once_and_agrees_with_recall(kept: KeptRun) -> None:
    [(_, recall)] = kept.reporter.series[RECALL]
    found = Confusion.model_validate_json(kept.content("confusion"))
    stored = kept.embeddings
    assert sum(found.items) == len(stored["labels"]) == kept.reporter.splits["test"]
    assert sum(found.right) / sum(found.items) == recall
    assert sum(found.items) - sum(found.right) == sum(n for _, _, n in found.pairs)
    assert [n for _, _, n in found.pairs] == sorted((n for _, _, n in found.pairs), reverse=True)
    nearest = stored["labels"][stored["nearest"]]
    a, b, n = found.pairs[0]
    assert int(((stored["labels"] == a) & (nearest == b)).sum()) == n


def test_nothing_is_kept_of_a_trial_or_for_an_api_that_asks_for_nothing() -> None:
    assert kept_run(keep=None).reporter.artifacts == []
    changes: dict[str, Any] = {"trial": {"objective": "retrieval.map_at_r"}}
    assert kept_run(**changes).reporter.artifacts == []


@pytest.mark.parametrize(
    ("keep", "sizes", "said"),
    [
        (Keep(weights="none", limit_bytes=10**9), 2, "LOSSBOARD_KEEP_WEIGHTS"),
        (Keep(weights="all", limit_bytes=30_000), 2, "LOSSBOARD_MAX_MODEL_MB"),
    ],
)
def test_what_is_not_kept_says_why(keep: Keep, sizes: int, said: str) -> None:
    run = kept_run(keep=keep, encoder={"kind": "mlp", "hidden": 200, "embedding_dim": 4})
    kinds = {kind for kind, part in run.parts.items() if part.digest}
    assert kinds == {"embeddings", "confusion"}
    assert said in run.parts["weights"].problem
    assert run.parts["weights"].size == (0 if keep.weights == "none" else pytest.approx(2e5, rel=1))


class RefusingStore(MemoryStore):
    def put(self, content: bytes, cancelled: Callable[[], bool]) -> str:
        if content.startswith(b"PK"):  # the embeddings
            raise BlobRefusedError("the API could not store 9 bytes: no room")
        return super().put(content, cancelled)


def test_a_part_that_the_api_refuses_does_not_fail_the_run() -> None:
    run = kept_run(store=RefusingStore())
    assert run.parts["embeddings"].digest is None
    assert run.parts["embeddings"].problem == "the API could not store 9 bytes: no room"
    assert run.parts["weights"].digest
    assert any("embeddings could not be kept" in line for line in run.reporter.lines)


class CancellingStore(MemoryStore):
    def put(self, content: bytes, cancelled: Callable[[], bool]) -> str:
        if content.startswith(b"PK"):  # the embeddings
            raise CancelledError
        return super().put(content, cancelled)


def test_a_run_that_succeeds_while_it_is_cancelled_says_what_it_did_not_keep() -> None:
    run = kept_run(store=CancellingStore())
    assert run.parts["weights"].digest
    for kind in ("embeddings", "confusion"):
        assert run.parts[kind].problem == "the run was cancelled before it was stored"


def test_a_fault_while_a_part_is_made_does_not_fail_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(embeddings: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(measure, "nearest_others", broken)
    run = kept_run()
    assert run.parts["weights"].digest
    assert run.parts["confusion"].problem == "RuntimeError: out of luck"
    assert any("out of luck" in line for line in run.reporter.lines)


def test_the_description_tells_how_the_network_is_built() -> None:
    content = kept_run(encoder={"kind": "convnet", "channels": 4}).content("weights")
    size = int.from_bytes(content[:8], "little")
    described = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["lossboard"])
    [encoder] = described["encoders"]
    assert encoder["input"] == {"kind": "images", "channels": 1, "size": [8, 8]}
    assert encoder["network"]["channels"] == 4
    assert described["classes"] == [str(digit) for digit in range(10)]
    assert set(described["versions"]) >= {"engine", "measures", "torch", "numpy"}
    assert described["measured"]["test"]["retrieval.map_at_r"] > 0


def test_embeddings_are_plain_arrays() -> None:
    run = kept_run()
    with np.load(io.BytesIO(run.content("embeddings")), allow_pickle=False) as file:
        assert file["embeddings"].dtype == np.float32
        assert json.loads(file["facts"].tobytes())["split"] == "test"
        assert set(file["modality"].tolist()) == {0}


def test_of_a_whole_backbone_only_what_trained_is_counted_and_the_setting_is_told() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    encoder = BackboneWithHead(Backbone(network, 4, Preparation()), nn.Linear(4, 2), whole=True)
    own = {"kind": "resnet18", "tuning": "full", "weights": "random", "normalize": False}
    spec = parse_spec(small(encoder=own))
    labels = torch.arange(2)
    trained = TrainedModel(
        spec=spec,
        arm=spec.arms[0],
        seed=0,
        encoders=(encoder,),
        origin=Origin(("a", "b"), labels, inputs=({"kind": "images"},)),
        test=Split(torch.zeros(2, 3, 8, 8), labels),
        embeddings=(torch.zeros(2, 2),),
        step=1,
        score=None,
        values={},
    )
    content, facts = make("weights", trained, "all")
    assert (facts["whole_backbone"], facts["keep"]) == (True, "all")
    assert facts["parameters"] == (3 * 9 + 1) * 4 + 2 * 4 + (4 + 1) * 2
    assert "backbone.1.running_mean" in load(content)
