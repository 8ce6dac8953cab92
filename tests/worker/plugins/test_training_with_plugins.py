"""Runs whose loss is a plug-in: they train, are measured and go on from checkpoints like ours."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from contract.comparison.spec import parse_spec
from contract.metrics import METRICS
from tests.support.plugin_entries import arm
from tests.support.plugins import TRIPLETS, pml_ref, put, refs
from tests.support.specs import small
from worker.api.plugin_ref import PluginRef
from worker.errors import InputError
from worker.reporting.reporter import ListReporter
from worker.snapshots import Checkpoint, NoKeeper
from worker.trainer.bundle import BundleOfOne
from worker.trainer.training import Training

CPU = torch.device("cpu")
CONVNET = {"kind": "convnet", "channels": 4, "embedding_dim": 8}
MLP = {"kind": "mlp", "hidden": 32, "layers": 1, "embedding_dim": 8}
COUNTS = {
    *("active_ratio", "active_ratio.anchors", "active_ratio.pushing_anchors", "active_tuples"),
    *("valid_tuples", "empty_steps", "invalid_steps", "gradient_norm.per_active", "pull_share"),
    *("loss.triplet", "active_ratio.triplet"),
}


def spec_of(one: dict[str, Any], **changes: Any) -> Any:
    training = {"epochs": 1, "batch_size": 64}
    return parse_spec(small(**{"arms": [one], "encoder": CONVNET, "training": training, **changes}))


def trained(one: dict[str, Any], ref: PluginRef | None, **changes: Any) -> ListReporter:
    spec = spec_of(one, **changes)
    reporter = ListReporter()
    made: Any = Training
    if ref is None and changes.get("encoder") == MLP:
        made = BundleOfOne
    more = {} if ref is None else {"plugin": ref}
    training = made(spec, spec.arms[0], 0, CPU, reporter, **more)
    reporter.ended(training.run(lambda: False))
    return reporter


def curves(reporter: ListReporter) -> dict[str, list[tuple[int, float | None]]]:
    return {
        key: points
        for key, points in reporter.series.items()
        if key not in {"run.elapsed_s", "dynamics.trivial_loss"}
    }


def values(points: list[tuple[int, float | None]]) -> list[float]:
    return [math.nan if value is None else value for _, value in points]


OURS = {"name": "ours", "loss": {"kind": "triplet", "margin": 0.5}}
PARAMS = {"params": {"margin": 0.5}}


def same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == other or (math.isnan(one) and math.isnan(other))


def test_a_copy_of_our_triplet_gives_equal_runs_to_the_bit(tmp_path: Path) -> None:
    ref = refs(put(tmp_path / "own", "triplets", TRIPLETS))["counted_triplet"]
    ours, copied = trained(OURS, None), trained(arm("counted_triplet", **PARAMS), ref)
    expected, seen = curves(ours), curves(copied)
    assert expected.keys() == seen.keys()
    assert len(expected) > 30
    for key, points in expected.items():
        assert [step for step, _ in points] == [step for step, _ in seen[key]], key
        assert all(same(a[1], b[1]) for a, b in zip(points, seen[key], strict=True)), key


def test_where_ours_is_computed_in_bundles_the_first_steps_agree(tmp_path: Path) -> None:
    found = refs(put(tmp_path / "own", "triplets", TRIPLETS))
    ours = trained(OURS, None, encoder=MLP).series
    for name in ("counted_triplet", "listed_triplet"):
        copied = trained(arm(name, **PARAMS), found[name], encoder=MLP).series
        for key in ("dynamics.loss", "dynamics.active_ratio", "dynamics.gradient_norm"):
            first, other = (values(one[key][1:6]) for one in (ours, copied))
            np.testing.assert_allclose(first, other, rtol=1e-5, err_msg=f"{name} {key}")


def test_listed_terms_are_counted_as_ours_are(tmp_path: Path) -> None:
    ref = refs(put(tmp_path / "own", "triplets", TRIPLETS))["listed_triplet"]
    ours, listed = trained(OURS, None), trained(arm("listed_triplet", **PARAMS), ref)
    keys = {f"dynamics.{key}" for key in COUNTS} & ours.series.keys()
    assert len(keys) == len(COUNTS)
    for key in keys:
        first, other = (values(one.series[key][:5]) for one in (ours, listed))
        np.testing.assert_allclose(first, other, rtol=1e-4, err_msg=key)


def test_of_a_number_nothing_is_made_up(tmp_path: Path) -> None:
    ref = refs(put(tmp_path / "own", "triplets", TRIPLETS))["plain_triplet"]
    ours, plain = trained(OURS, None), trained(arm("plain_triplet", **PARAMS), ref)
    lacking = {key.removeprefix("dynamics.") for key in ours.series.keys() - plain.series.keys()}
    assert lacking == {*COUNTS, "trivial_loss"}
    first, other = (values(one.series["dynamics.loss"][1:6]) for one in (ours, plain))
    np.testing.assert_allclose(first, other, rtol=1e-4)
    assert plain.series["dynamics.loss"][1:] == plain.series["dynamics.loss_trained"]
    assert plain.state == "succeeded"


@pytest.mark.parametrize(
    ("name", "loss", "part"),
    [
        ("MultiSimilarityLoss", {}, "per_anchor"),
        ("CircleLoss", {}, "per_anchor"),
        ("ProxyAnchorLoss", {}, "per_proxy"),
        ("ContrastiveLoss", {}, "positive"),
        ("NTXentLoss", {"distance": {"name": "LpDistance"}}, "pair"),
        ("TripletMarginLoss", {}, "triplet"),
    ],
)
def test_losses_of_the_library_are_measured_by_their_tuples(
    name: str, loss: dict[str, Any], part: str
) -> None:
    found = trained(arm(f"pml.{name}", **loss), pml_ref(name))
    values = found.series[f"dynamics.active_ratio.{part}"]
    assert f"dynamics.loss.{part}" in found.series
    assert all(value is not None and 0 <= value <= 1 for _, value in values)
    assert found.series.keys() <= METRICS.keys() | {
        key for key in found.series if key.startswith(("test.", "test_last.", "chance."))
    }
    losses = [value for _, value in found.series["dynamics.loss"]]
    assert all(value is not None and math.isfinite(value) for value in losses)


def test_with_a_miner_only_the_mined_tuples_are_known() -> None:
    one = arm("pml.TripletMarginLoss", miner={"name": "TripletMarginMiner", "params": {}})
    found = trained(one, pml_ref("TripletMarginLoss"))
    assert "dynamics.active_ratio" not in found.series
    assert "dynamics.active_ratio.triplet" not in found.series
    shares = [value for _, value in found.series["dynamics.active_ratio.selected"]]
    assert all(0 < value < 1 for value in shares if value is not None)
    assert shares
    assert all(value >= 0 for _, value in found.series["dynamics.selected_tuples"] if value)


class Taken(NoKeeper):
    """Keeps checkpoints in memory."""

    def __init__(self) -> None:
        self.taken: list[Checkpoint] = []

    def ready_for_checkpoint(self) -> bool:
        return True

    def keep_checkpoint(self, checkpoint: Checkpoint) -> None:
        self.taken.append(checkpoint)


@pytest.mark.parametrize("name", ["ProxyAnchorLoss", "DynamicSoftMarginLoss", "TripletMarginLoss"])
def test_a_run_goes_on_from_a_checkpoint_with_the_same_values(name: str) -> None:
    one = arm(f"pml.{name}")
    if name == "TripletMarginLoss":  # draws from torch's global stream
        one["loss"]["miner"] = {"name": "DistanceWeightedMiner"}
    training = {"epochs": 2, "batch_size": 64, "optimizer": {"kind": "adam", "loss_lr": 0.05}}
    spec, ref = spec_of(one, training=training), pml_ref(name)
    keeper, whole, rest = Taken(), ListReporter(), ListReporter()
    made = Training(
        *(spec, spec.arms[0], 0, CPU, whole), keeper=keeper, checkpoint_s=1e-9, plugin=ref
    )
    made.run(lambda: False)
    middle = keeper.taken[len(keeper.taken) // 2]
    again = Training(spec, spec.arms[0], 0, CPU, rest, plugin=ref)
    again.restore(middle)
    again.run(lambda: False)
    for key in ("dynamics.loss", "dynamics.gradient_norm", "retrieval.map_at_r"):
        later = [point for point in whole.series[key] if point[0] > middle.step]
        assert later == [point for point in rest.series[key] if point[0] > middle.step], key
        assert later


def test_a_checkpoint_of_other_code_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "own", "triplets", TRIPLETS)
    keeper = Taken()
    spec = spec_of(arm("counted_triplet"))
    ref = refs(path)["counted_triplet"]
    one = Training(
        *(spec, spec.arms[0], 0, CPU, ListReporter()), keeper=keeper, checkpoint_s=1e-9, plugin=ref
    )
    one.run(lambda: False)
    put(tmp_path / "own", "triplets", f"{TRIPLETS}# another\n")
    with pytest.raises(InputError, match="has changed since this worker started"):
        Training(spec, spec.arms[0], 0, CPU, ListReporter(), plugin=ref)
    later = Training(
        spec, spec.arms[0], 0, CPU, ListReporter(), plugin=refs(path)["counted_triplet"]
    )
    with pytest.raises(Exception, match="another spec, seed or device"):
        later.restore(keeper.taken[0])
