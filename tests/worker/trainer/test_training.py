"""The training loop on real data, and its attempts with every kind of end."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from contract.comparison.spec import parse_spec
from tests.support import tiny_mnist
from tests.support.specs import small
from worker.api.client import Claim
from worker.data import Split
from worker.errors import DivergedError
from worker.reporting.reporter import ListReporter
from worker.trainer.attempt import run_attempt
from worker.trainer.evaluation import Evaluation, Measured
from worker.trainer.training import Training

CPU = torch.device("cpu")
CONTRASTIVE = {"kind": "contrastive"}
TRIPLET = {"kind": "triplet", "margin": 0.5}


def quick(**changes: Any) -> dict[str, Any]:
    return small(training={"epochs": 3, "batch_size": 64}, **changes)


def trained(raw: dict[str, Any], *, arm: int = 0, seed: int = 0) -> ListReporter:
    spec = parse_spec(raw)
    reporter = ListReporter()
    reporter.ended(Training(spec, spec.arms[arm], seed, CPU, reporter).run(lambda: False))
    return reporter


def without_time(reporter: ListReporter) -> dict[str, list[tuple[int, float | None]]]:
    return {key: points for key, points in reporter.series.items() if key != "run.elapsed_s"}


def at_0(reporter: ListReporter, *families: str) -> dict[str, float | None]:
    return {
        key: points[0][1]
        for key, points in reporter.series.items()
        if key.startswith(families) and points[0][0] == 0
    }


def attempted(raw: dict[str, Any], arm: str) -> ListReporter:
    reporter = ListReporter()
    claim = Claim(run="r", attempt=1, lease_s=10, comparison="c", arm=arm, seed=0, spec=raw)
    run_attempt(claim, reporter, lambda: False, CPU)
    return reporter


def test_a_run_reports_every_step_and_every_evaluation() -> None:
    reporter = trained(quick(measure={"evaluate_every": 2}))
    assert reporter.steps_per_epoch == 16
    assert reporter.total_steps == 48
    assert reporter.device == "cpu"
    assert reporter.state == "succeeded"

    def steps(key: str) -> list[int]:
        return [step for step, _ in reporter.series[key]]

    assert steps("dynamics.loss") == [*range(49)]
    assert steps("dynamics.active_ratio") == [*range(49)]
    assert steps("dynamics.gradient_norm") == [*range(1, 49)]
    assert steps("retrieval.map_at_r") == [0, 32, 48]
    assert steps("geometry.intra_class_variance") == [0, 32, 48]
    elapsed = [value for _, value in reporter.series["run.elapsed_s"] if value is not None]
    assert len(elapsed) == 48
    assert all(a < b for a, b in itertools.pairwise(elapsed))


def of_test_split(reporter: ListReporter) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the points of the test split: of the best epoch, without those of smaller embeddings,
    and of the last one."""
    found = {key: points for key, points in reporter.series.items() if key.startswith("test.")}
    last = {key: points for key, points in found.items() if key.startswith("test.last.")}
    best = {key: points for key, points in found.items() if key not in last}
    assert "test.retrieval.map_at_r" in best
    smaller = {key for key in best if key.startswith("test.dimension.")}
    assert "test.dimension.int8.map_at_r" in smaller
    best = {key: points for key, points in best.items() if key not in smaller}
    assert {key.replace("test.last.", "test.") for key in last} == set(best)
    return best, {key.replace("test.last.", "test."): points for key, points in last.items()}


def test_the_test_split_is_read_at_the_best_epoch_and_at_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A measure that falls while the training succeeds, so that the first epoch is the best.
    monkeypatch.setattr(
        "worker.trainer.member.objective_of", lambda shape: "geometry.variance_ratio"
    )
    reporter = trained(quick())
    validation = {step: v for step, v in reporter.series["geometry.variance_ratio"] if step}
    of_best = max(validation, key=lambda step: (validation[step], -step))
    assert of_best < reporter.total_steps, "the case needs a best epoch before the last"
    best, last = of_test_split(reporter)
    assert all([step for step, _ in points] == [of_best] for points in best.values())
    assert all([step for step, _ in points] == [reporter.total_steps] for points in last.values())
    values = {key: points[0][1] for key, points in best.items()}
    assert values != {key: points[0][1] for key, points in last.items()}


def test_a_best_epoch_that_is_the_last_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    measure = Evaluation.test

    def counted(self: Evaluation) -> Measured:
        calls.append(1)
        return measure(self)

    monkeypatch.setattr(Evaluation, "test", counted)
    best, last = of_test_split(trained(small(training={"epochs": 1, "batch_size": 64})))
    assert best == last
    assert len(calls) == 1


def test_sizes_of_the_splits_are_reported() -> None:
    splits = trained(quick()).splits
    assert set(splits) == {"train", "validation", "test"}
    assert sum(splits.values()) == 1797  # digits
    assert splits["train"] > splits["test"] > 100


DRAWING = {"kind": "triplet", "selection": "distance_weighted"}
"""A loss that draws tuples; others have trainable parameters."""


@pytest.mark.parametrize(
    "loss",
    [
        DRAWING,
        {"kind": "arcface"},
        *(
            pytest.param(loss, marks=pytest.mark.slow)
            for loss in (CONTRASTIVE, TRIPLET, {"kind": "n_pair"}, {"kind": "sup_con"})
        ),
    ],
    ids=lambda loss: f"{loss['kind']}-{loss.get('selection', 'all')}",
)
def test_one_spec_and_seed_give_the_same_curves_to_the_bit(loss: dict[str, Any]) -> None:
    raw = quick(arms=[{"name": "arm", "loss": loss}], encoder={"kind": "convnet", "channels": 8})
    assert without_time(trained(raw)) == without_time(trained(raw))


def test_arms_of_one_seed_start_from_the_same_weights_and_seeds_do_not() -> None:
    raw = quick(arms=[{"name": "one", "loss": CONTRASTIVE}, {"name": "two", "loss": TRIPLET}])
    families = ("geometry.", "retrieval.", "classification.")
    one, two, other = (
        at_0(trained(raw, arm=arm, seed=seed), *families) for arm, seed in ((0, 0), (1, 0), (0, 1))
    )
    assert len(one) >= 8
    assert one == two
    assert one != other


def test_arms_of_one_seed_see_the_same_batches() -> None:
    spec = parse_spec(
        quick(arms=[{"name": "one", "loss": CONTRASTIVE}, {"name": "two", "loss": TRIPLET}])
    )

    def order(arm: int, seed: int) -> list[int]:
        training = Training(spec, spec.arms[arm], seed, CPU, ListReporter())
        epochs = [torch.cat([*training.member.batches(epoch)]) for epoch in (1, 2)]
        return [int(item) for item in torch.cat(epochs)]

    assert order(0, 0) == order(1, 0)
    assert order(0, 0) != order(0, 1)


def trained_on(loss: dict[str, Any]) -> list[torch.Tensor]:
    """Return the batches that the encoder really got in the first 20 steps."""
    spec = parse_spec(quick(arms=[{"name": "arm", "loss": loss}]))
    training = Training(spec, spec.arms[0], 0, CPU, ListReporter())
    items: list[torch.Tensor] = []

    def note(_: torch.nn.Module, inputs: tuple[Split]) -> None:
        if torch.is_grad_enabled():  # not while measuring
            items.append(inputs[0].items.clone())

    training.member.model.register_forward_pre_hook(note)
    training.run(lambda: training.step == 20)
    return items


def test_what_a_loss_draws_or_learns_changes_no_batch() -> None:
    first = trained_on(CONTRASTIVE)
    assert len(first) == 20
    for loss in (TRIPLET, DRAWING, {"kind": "arcface"}):
        others = trained_on(loss)
        assert all(torch.equal(a, b) for a, b in zip(first, others, strict=True)), loss


def test_a_cancel_stops_between_two_steps_and_keeps_what_was_measured() -> None:
    spec = parse_spec(quick())
    reporter = ListReporter()
    training = Training(spec, spec.arms[0], 0, CPU, reporter)
    assert training.run(lambda: training.step == 20) == "cancelled"
    assert [step for step, _ in reporter.series["dynamics.loss"]] == [*range(21)]
    assert not any(key.startswith("test.") for key in reporter.series)


def diverging() -> dict[str, Any]:
    return small(
        encoder={"kind": "mlp", "hidden": 64, "layers": 1, "embedding_dim": 16, "normalize": False},
        training={"epochs": 8, "batch_size": 64, "optimizer": {"kind": "sgd", "lr": 100.0}},
        arms=[{"name": "contrastive", "loss": CONTRASTIVE}],
    )


def test_a_loss_that_is_not_finite_ends_the_run_with_step_and_advice() -> None:
    spec = parse_spec(diverging())
    reporter = ListReporter()
    with pytest.raises(DivergedError) as caught:
        Training(spec, spec.arms[0], 0, CPU, reporter).run(lambda: False)
    assert reporter.series["dynamics.loss"][-1] == (caught.value.step, None)
    assert "learning rate 100" in caught.value.cause
    assert "L2-normalise" in caught.value.cause


def test_a_diverged_attempt_is_reported_as_failed() -> None:
    reporter = attempted(diverging(), "contrastive")
    assert reporter.state == "failed"
    assert reporter.failure
    assert reporter.failure.step == reporter.series["dynamics.loss"][-1][0]


def test_steps_with_nothing_to_learn_are_counted_and_the_first_is_logged() -> None:
    """Among four digits often no two are the same, and the few triplets are soon satisfied."""
    reporter = trained(small(training={"epochs": 1, "batch_size": 4}))

    def values(key: str) -> list[float | None]:
        return [value for step, value in reporter.series[f"dynamics.{key}"] if step]

    for count, of in (("empty_steps", "active_tuples"), ("invalid_steps", "valid_tuples")):
        assert values(count) == list(itertools.accumulate(int(value == 0) for value in values(of)))
    assert (values("empty_steps")[-1] or 0) > (values("invalid_steps")[-1] or 0) > 0
    [line] = [line for line in reporter.lines if "nothing to teach" in line]
    assert line.startswith(f"step {values('empty_steps').index(1) + 1}: ")
    for step, loss in reporter.series["dynamics.loss"][1:]:
        assert (loss is None) == (values("valid_tuples")[step - 1] == 0)


def test_a_damaged_data_set_fails_the_run_and_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOSSBOARD_DATASETS_DIR", str(tmp_path))
    tiny_mnist.write(tmp_path)
    broken = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte"
    broken.write_bytes(b"rubbish")
    raw = quick(data={"kind": "mnist"}, arms=[{"name": "triplet", "loss": TRIPLET}])
    reporter = attempted(raw, "triplet")
    assert reporter.state == "failed"
    assert reporter.failure
    assert f"{broken} is damaged" in reporter.failure.message
    assert "Traceback" not in "\n".join(reporter.lines)


def test_settings_that_only_the_data_can_refuse_fail_the_run_in_plain_words(
    tmp_path: Path,
) -> None:
    features = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    np.savez(tmp_path / "mine.npz", features=features, labels=np.arange(40) % 2)
    raw = quick(data={"kind": "features", "file": str(tmp_path / "mine.npz")})
    reporter = attempted(raw, "triplet")
    assert reporter.state == "failed"
    assert reporter.failure
    assert reporter.failure.message == "batch_size: 64 is more than the 24 items"
    assert "change what the message names" in reporter.failure.cause
    assert "Traceback" not in "\n".join(reporter.lines)


def test_a_cancel_before_the_first_step_ends_the_run(tmp_path: Path) -> None:
    reporter = ListReporter()
    np.savez(tmp_path / "mine.npz", features=np.zeros((4, 2)), labels=np.arange(4) % 2)
    raw = quick(data={"kind": "features", "file": str(tmp_path / "mine.npz")})
    claim = Claim(run="r", attempt=1, lease_s=10, comparison="c", arm="triplet", seed=0, spec=raw)
    run_attempt(claim, reporter, lambda: True, CPU)
    assert reporter.state == "cancelled"
    assert reporter.series == {}


def write_images(folder: Path, classes: int = 10, each: int = 8) -> None:
    """Write classes of one colour each, with noise."""
    rng = np.random.default_rng(0)
    colours = rng.integers(40, 200, (classes, 3))
    for label in range(classes):
        (folder / f"class {label}").mkdir(parents=True)
        for at in range(each):
            noise = rng.integers(-30, 30, (20, 24, 3))
            pixels = (colours[label] + noise).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"class {label}" / f"{at}.png")


@pytest.mark.slow
def test_a_frozen_backbone_trains_a_head_on_cached_features_next_to_its_own_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOSSBOARD_DATASETS_DIR", str(tmp_path / "datasets"))
    write_images(tmp_path / "images")
    raw = quick(
        data={"kind": "image_folder", "folder": str(tmp_path / "images")},
        encoder={"kind": "resnet18", "weights": "random", "embedding_dim": 16},
    )
    raw["training"] = {"epochs": 3, "batch_size": 16}
    first, again = attempted(raw, "triplet"), attempted(raw, "triplet")
    assert first.state == again.state == "succeeded"
    assert any(p.what.startswith("computing") for p in first.preparations)
    assert not any(p.what.startswith("computing") for p in again.preparations)
    assert without_time(first) == without_time(again)
    for key in ("retrieval.recall_at_1", "geometry.intra_class_variance"):
        assert first.series[f"backbone.{key}"] == again.series[f"backbone.{key}"]
        assert [step for step, _ in first.series[f"backbone.test.{key}"]] == [0]
    assert "test.classification.knn_accuracy_1" in first.series
    assert "test.classification.linear_probe_accuracy" not in first.series
    assert any("leave-one-out" in line for line in first.lines)


@pytest.mark.parametrize(
    ("encoder", "augmentation"),
    [
        ({"kind": "convnet", "channels": 4}, "flip_shift"),
        pytest.param(
            {"kind": "resnet18", "weights": "random", "tuning": "head"},
            "flip",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"kind": "resnet18", "weights": "random", "tuning": "full"},
            "none",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_images_in_files_train_every_kind_of_encoder(
    encoder: dict[str, Any], augmentation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOSSBOARD_DATASETS_DIR", str(tmp_path / "datasets"))
    write_images(tmp_path / "images", classes=4, each=10)
    data = {"kind": "image_folder", "folder": str(tmp_path / "images"), "split": "item"}
    raw = quick(data={**data, "image_size": 16}, encoder=encoder)
    raw["training"] = {"epochs": 1, "batch_size": 8, "augmentation": augmentation}
    reporter = attempted(raw, "triplet")
    assert reporter.state == "succeeded", reporter.failure
    assert not any(key.startswith("backbone.") for key in reporter.series)
    assert "test.classification.linear_probe_accuracy" in reporter.series


def test_any_other_error_is_reported_with_its_type_and_traceback() -> None:
    reporter = attempted(quick(), "no such arm")
    assert reporter.state == "failed"
    assert reporter.failure
    assert "KeyError" in reporter.failure.message
    assert any("Traceback" in line for line in reporter.lines)
