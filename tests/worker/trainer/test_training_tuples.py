"""Training on data that come as tuples: what is measured, the best epoch, trials, checkpoints."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from contract.comparison.data import SHAPES
from contract.comparison.spec import parse_spec
from contract.comparison.tuple_checks import losses_of
from contract.metrics import METRICS, objective_of
from tests.support.specs import small
from worker.api.client import Claim
from worker.reporting.reporter import ListReporter
from worker.trainer.attempt import run_attempt

CPU = torch.device("cpu")
CASES = [(shape, kind) for shape in SHAPES for kind in losses_of(shape)]


def spec(shape: str, kind: str = "", **changes: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "data": {"kind": "generated_tuples", "shape": shape, "per_request": 1},
        "encoder": {"kind": "static_text", "embedding_dim": 16},
        "training": {"epochs": 4, "batch_size": 32},
    }
    if kind:
        usual["arms"] = [{"name": "a", "loss": {"kind": kind}}]
    return small(**{**usual, **changes})


def trained(raw: dict[str, Any]) -> ListReporter:
    reporter = ListReporter()
    claim = Claim(run="r", attempt=1, lease_s=10, comparison="c", arm="a", seed=0, spec=raw)
    run_attempt(claim, reporter, lambda: False, CPU)
    assert reporter.failure is None, reporter.failure
    return reporter


@pytest.mark.parametrize(("shape", "kind"), CASES)
def test_each_loss_learns_each_of_its_shapes(shape: str, kind: str) -> None:
    reporter = trained(spec(shape, kind))
    assert reporter.state == "succeeded"
    assert reporter.splits == {"train": 288, "validation": 96, "test": 96}
    assert reporter.steps_per_epoch == 9
    objective = objective_of(shape)
    scores = [(step, float(value or 0)) for step, value in reporter.series[objective]]
    assert scores[-1][1] > scores[0][1], "better than the untrained network"
    best = max(scores[1:], key=lambda point: (point[1], -point[0]))
    assert reporter.series[f"test.{objective}"][0][0] == best[0]
    assert f"test.last.{objective}" in reporter.series
    assert f"backbone.test.{objective}" in reporter.series
    known = {key.removeprefix("backbone.") for key in reporter.series}
    assert known <= METRICS.keys()
    of_classes = ("retrieval.", "classification.", "clustering.", "detail.", "geometry.intra")
    assert not [key for key in known if key.removeprefix("test.").startswith(of_classes)]
    verified = "test.verification.roc_auc" in known
    assert verified == ("test.dimension.int8.recall_at_1" in known) == (shape != "scored_pairs")
    in_batch = kind == "info_nce" or shape == "pairs"
    assert ("dynamics.false_negative_share" in known) == in_batch


def test_rows_of_a_feature_table_by_their_ids(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(40, 8))
    points = np.repeat(centres, 2, axis=0) + 0.3 * rng.normal(size=(80, 8))
    names = np.array([f"item-{row}" for row in range(80)])
    from_table = tmp_path / "uploads" / "d2"
    from_table.mkdir(parents=True)
    np.savez(
        tmp_path / "f.npz", features=points.astype(np.float32), labels=np.arange(80) % 2, ids=names
    )
    (tmp_path / "f.npz").rename(from_table / "content")
    pairs = tmp_path / "pairs.csv"
    lines = [f"item-{2 * row},item-{2 * row + 1}" for row in range(40)]
    pairs.write_text("\n".join(["anchor,positive", *lines]))
    data = {"kind": "pairs", "file": str(pairs), "items": "d2"}
    encoder = {"kind": "mlp", "hidden": 16, "layers": 1, "embedding_dim": 8}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOSSBOARD_DATASETS_DIR", str(tmp_path))
        own = spec("pairs", "info_nce", data=data, encoder=encoder)
        reporter = trained({**own, "training": {"epochs": 3, "batch_size": 8}})
        assert reporter.splits == {"train": 24, "validation": 8, "test": 8}
        assert "test.pairs.mrr" in reporter.series
        pairs.write_text("\n".join(["anchor,positive", *lines, "item-3,nowhere"]))
        failed = ListReporter()
        claim = Claim(run="r", attempt=1, lease_s=10, comparison="c", arm="a", seed=0, spec=own)
        run_attempt(claim, failed, lambda: False, CPU)
        assert failed.failure is not None
        assert "has no rows with the ids 'nowhere'" in failed.failure.message


@pytest.mark.parametrize("shape", ["pairs", "scored_pairs"])
def test_a_trial_measures_its_objective_alone(shape: str) -> None:
    kind = losses_of(shape)[0]  # type: ignore[arg-type]
    raw = spec(shape, kind)
    raw["trial"] = {"objective": objective_of(shape), "fold": {"number": 1, "of": 3}}
    reporter = trained(raw)
    assert reporter.splits == {"train": 256, "validation": 128, "test": 0}
    evaluated = {key for key in reporter.series if not key.startswith(("dynamics.", "run."))}
    assert {key.removeprefix("backbone.").partition(".")[0] for key in evaluated} == {"pairs"}


def test_the_objective_of_a_search_is_one_that_tuples_have() -> None:
    parse_spec(spec("pairs", "triplet", tuning={"trials": 2, "objective": "pairs.mrr"}))
