"""Runs that train as one report what each of them reports alone, and end one by one."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from contract.comparison.spec import ComparisonSpec, parse_spec
from contract.tuning.specs import trial_spec
from tests.support.bundles import CPU, spec_of, train_bundle, values_of
from worker import data
from worker.errors import DivergedError, GivenBackError, InputError
from worker.reporting.reporter import ListReporter
from worker.snapshots import Checkpoint, NoKeeper
from worker.torch_utils import one_thread
from worker.trainer import batches, bundle, checkpoint, inputs, member
from worker.trainer.bundle import Bundle, BundleOfOne, MemberSpec, Outcome
from worker.trainer.process import use_threads
from worker.trainer.training import Training

TRIPLET = {"kind": "triplet", "margin": 0.3}
LOSSES: list[Mapping[str, Any]] = [
    TRIPLET,
    {"kind": "contrastive", "reduction": "balanced", "positive_margin": 0.1},
    {"kind": "arcface", "scale": 16},
    {"kind": "n_pair", "scale": 5},
]
SOME_LOSSES = [
    *(pytest.param(loss, marks=pytest.mark.slow) for loss in (LOSSES[0], LOSSES[3])),
    *LOSSES[1:3],
]
"""In `make test` one over pairs, and one with parameters."""


@pytest.fixture(autouse=True)
def unlimited_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let checkpoints take all of a run's time, so that there is one before every step."""
    monkeypatch.setattr(checkpoint, "MAX_TIME_SHARE", math.inf)


class Keeping(NoKeeper):
    """Keeps checkpoints and counts snapshots."""

    def __init__(self) -> None:
        self.kept: list[Checkpoint] = []
        self.snapshots: list[int] = []

    def ready_for_checkpoint(self) -> bool:
        return True

    def keep_checkpoint(self, checkpoint: Checkpoint) -> None:
        self.kept.append(checkpoint)

    def keep_snapshot(self, samples: Any, epoch: int, step: int, embeddings: torch.Tensor) -> None:
        self.snapshots.append(epoch)


def alone(spec: ComparisonSpec, seed: int) -> ListReporter:
    reporter = ListReporter()
    with one_thread():
        training = Training(spec, spec.arms[0], seed, CPU, reporter)
        reporter.state = training.run(lambda: False)
    return reporter


@pytest.mark.parametrize("loss", SOME_LOSSES, ids=str)
def test_a_run_reports_together_what_it_reports_alone(loss: Mapping[str, Any]) -> None:
    spec = spec_of(loss)
    [ours, *_], ends = train_bundle([(spec, 0), (spec, 1)])
    theirs = alone(spec, 0)
    assert ends == ["succeeded", "succeeded"]
    assert list(ours.series) == list(theirs.series)
    for key, points in theirs.series.items():
        assert [step for step, _ in ours.series[key]] == [step for step, _ in points], key
    assert (ours.total_steps, ours.splits, ours.device) == (
        theirs.total_steps,
        theirs.splits,
        theirs.device,
    )
    assert ours.lines == theirs.lines
    for key, points in values_of(theirs).items():
        # The untrained network is the same one, and so are the first batches.
        for at in range(min(4, len(points))):
            if points[at][0] <= 3:
                value = ours.series[key][at][1]
                assert value == pytest.approx(points[at][1], rel=1e-4, abs=1e-6), key
    assert ours.series["retrieval.map_at_r"][-1][1] == pytest.approx(
        theirs.series["retrieval.map_at_r"][-1][1], abs=0.02
    )


def test_snapshots_are_kept_and_measures_taken_after_the_same_epochs() -> None:
    measure = {"snapshot_every": 2, "evaluate_every": 2}
    spec = spec_of(TRIPLET, {"epochs": 5}, measure=measure)
    keeper, theirs = Keeping(), ListReporter()
    Training(spec, spec.arms[0], 0, CPU, theirs, keeper=keeper).run(lambda: False)
    [ours, _], keepers, _ = checkpointed([spec, spec])
    assert keepers[0].snapshots == keepers[1].snapshots == keeper.snapshots == [0, 2, 4, 5]
    for key, points in theirs.series.items():
        if not key.startswith("test."):  # of the best epoch, which rounding may decide
            assert [step for step, _ in ours.series[key]] == [step for step, _ in points], key
    assert list(ours.states) == list(theirs.states)


@pytest.mark.parametrize("loss", SOME_LOSSES, ids=str)
def test_series_are_the_same_to_the_last_bit_alone_and_with_others(
    loss: Mapping[str, Any],
) -> None:
    number = {"triplet": "margin", "contrastive": "margin"}.get(loss["kind"], "scale")
    tuned = spec_of(loss, tuning={"trials": 24, "trial_seeds": [1000, 1001, 1002]})
    members = [
        (
            trial_spec(
                tuned,
                "arm",
                {
                    f"loss.{number}": loss.get(number, 1) * (1 + 0.1 * at),
                    "training.optimizer.lr": 1e-3 * (1 + at % 3),
                    "training.optimizer.weight_decay": 1e-3 * at,
                },
                None,
            ),
            1000 + at % 3,
        )
        for at in range(24)
    ]
    together, _ = train_bundle(members)
    five, _ = train_bundle(members[3:8])
    for at in (0, 4, 23):
        [one], _ = train_bundle([members[at]])
        assert values_of(one) == values_of(together[at])
    for at in range(5):
        assert values_of(five[at]) == values_of(together[3 + at])


def test_all_measures_are_the_same_to_the_last_bit_too() -> None:
    spec = spec_of(TRIPLET, {"epochs": 1})
    [_, second], _ = train_bundle([(spec, 0), (spec, 1)])
    [alone_], _ = train_bundle([(spec, 1)])
    assert values_of(alone_) == values_of(second)
    assert "test.retrieval.map_at_r" in alone_.series


def test_images_of_bytes_are_scaled_as_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOSSBOARD_DATASETS_DIR", str(tmp_path))
    rng = np.random.default_rng(0)
    for label in range(4):
        (tmp_path / "images" / str(label)).mkdir(parents=True)
        for at in range(10):
            pixels = rng.integers(60 * label, 60 * label + 70, (16, 16, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / str(label) / f"{at}.png")
    folder = {"kind": "image_folder", "folder": str(tmp_path / "images"), "split": "item"}
    spec = spec_of(TRIPLET, {"batch_size": 8}, data={**folder, "image_size": 16})
    theirs = alone(spec, 0)
    [ours, *_], _ = train_bundle([(spec, 0), (spec, 1)])
    for key in ("dynamics.loss", "dynamics.gradient_norm", "retrieval.map_at_r"):
        assert ours.series[key][1][1] == pytest.approx(theirs.series[key][1][1], rel=1e-4)


def test_the_engine_uses_one_thread_whatever_is_set() -> None:
    spec = spec_of(TRIPLET)
    before = torch.get_num_threads()
    try:
        use_threads(1)
        [one], _ = train_bundle([(spec, 0)])
        use_threads(4)
        [four], _ = train_bundle([(spec, 0)])
        assert torch.get_num_threads() == 4
    finally:
        use_threads(before)
    assert values_of(one) == values_of(four)


def test_images_are_prepared_with_all_threads_and_the_rest_with_one_and_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[str, int]] = []

    def noted(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def call(*args: Any, **given: Any) -> Any:
            seen.append((name, torch.get_num_threads()))
            return real(*args, **given)

        monkeypatch.setattr(owner, name, call)

    noted(data, "load")
    noted(inputs, "_tensor")  # decodes images, and computes features of a frozen backbone
    noted(member, "reference_values")
    spec = spec_of(TRIPLET, {"epochs": 1})
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        train_bundle([(spec, 0), (spec, 1)])
    finally:
        torch.set_num_threads(before)
    assert seen == [("load", 1), ("_tensor", 3), ("reference_values", 1)]


def test_batches_of_an_epoch_are_drawn_once_however_many_blocks_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = spec_of(TRIPLET)
    [expected, _], _ = train_bundle([(spec, 0), (spec, 1)])
    drawn: list[tuple[int, int]] = []
    draw = batches.epoch_batches

    def noted(*args: Any, **given: Any) -> Any:
        drawn.append((given["seed"], given["epoch"]))
        return draw(*args, **given)

    monkeypatch.setattr(batches, "epoch_batches", noted)
    monkeypatch.setattr(bundle, "BLOCK_STEPS", 3)
    [blocks, _], _ = train_bundle([(spec, 0), (spec, 1)])
    assert values_of(blocks) == values_of(expected)
    assert drawn.count((0, 2)) == drawn.count((1, 2)) == 1


def test_a_run_ends_as_soon_as_its_test_split_is_measured() -> None:
    spec = spec_of(TRIPLET, {"epochs": 1})
    reporters = [ListReporter(), ListReporter()]
    members = [
        MemberSpec(spec, spec.arms[0], seed, reporter) for seed, reporter in enumerate(reporters)
    ]
    tested: list[list[bool]] = []

    def ended(number: int, outcome: Outcome) -> None:
        assert outcome == "succeeded"
        tested.append(["test.retrieval.map_at_r" in reporter.series for reporter in reporters])

    Bundle(members, CPU).run(ended)
    assert tested == [[True, False], [True, True]]


def test_a_member_that_diverges_or_is_cancelled_ends_alone() -> None:
    wild = spec_of(TRIPLET, {"optimizer": {"kind": "sgd", "lr": 50, "weight_decay": 50}})
    tame = spec_of(TRIPLET, {"optimizer": {"kind": "sgd", "lr": 0.01}})
    expected, _ = train_bundle([(tame, 0), (tame, 2)])
    asked = {3: 0}

    def cancelled(number: int) -> bool:
        asked[number] = asked.get(number, 0) + 1
        return number == 3 and asked[3] > 7

    members = [(tame, 0), (wild, 1), (tame, 2), (tame, 3)]
    reporters, ends = train_bundle(members, cancelled)
    assert isinstance(ends[1], DivergedError)
    assert [ends[at] for at in (0, 2, 3)] == ["succeeded", "succeeded", "cancelled"]
    assert values_of(reporters[0]) == values_of(expected[0])
    assert values_of(reporters[2]) == values_of(expected[1])
    assert 0 < len(reporters[3].series["dynamics.loss"]) < 10
    assert "overflow" in reporters[1].states or "became" in str(ends[1])
    assert not [key for key in reporters[1].series if key.startswith("test.")]


def test_the_time_of_a_step_is_shared() -> None:
    spec = spec_of(TRIPLET)
    reporters, _ = train_bundle([(spec, seed) for seed in range(4)])
    for reporter in reporters:
        seconds = [value for _, value in reporter.series["run.elapsed_s"]]
        assert seconds == sorted(seconds, key=lambda value: value or 0)
        assert seconds == [value for _, value in reporters[0].series["run.elapsed_s"]]


def test_trials_measure_their_objective_and_never_the_test_split() -> None:
    tuned = parse_spec(
        {**spec_of(TRIPLET).model_dump(mode="json"), "tuning": {"trials": 3, "folds": 2}}
    )
    trials = [
        trial_spec(tuned, "arm", {"loss.margin": margin, "training.optimizer.lr": lr}, 1)
        for margin, lr in ((0.1, 0.001), (0.5, 0.01), (1.0, 0.0005))
    ]
    reporters, ends = train_bundle([(spec, 1000) for spec in trials])
    assert ends == ["succeeded"] * 3
    for spec, reporter in zip(trials, reporters, strict=True):
        assert list(reporter.series) == list(alone(spec, 1000).series)
        assert not [key for key in reporter.series if key.startswith("test.")]
        assert reporter.splits["test"] == 0


def test_members_that_differ_in_more_than_numbers_are_refused() -> None:
    spec = spec_of(TRIPLET)
    for other in (
        spec_of({**TRIPLET, "reduction": "sum"}),
        spec_of({"kind": "contrastive"}),
        spec_of(TRIPLET, {"batch_size": 32}),
        spec_of(TRIPLET, {"optimizer": {"kind": "sgd"}}),
    ):
        with pytest.raises(InputError, match="differ in more"):
            train_bundle([(spec, 0), (other, 1)])


def checkpointed(
    specs: list[ComparisonSpec], restored: list[Checkpoint] | None = None
) -> tuple[list[ListReporter], list[Keeping], list[Outcome]]:
    """Train with a checkpoint before each step, from given ones."""
    reporters, keepers = [ListReporter() for _ in specs], [Keeping() for _ in specs]
    members = [
        MemberSpec(spec, spec.arms[0], seed, reporter, keeper=keeper)
        for seed, (spec, reporter, keeper) in enumerate(zip(specs, reporters, keepers, strict=True))
    ]
    training = Bundle(members, CPU, checkpoint_s=0 if restored else 1e-9)
    if restored:
        training.restore(restored)
    ends: dict[int, Outcome] = {}
    training.run(ends.__setitem__)
    return reporters, keepers, [ends[at] for at in range(len(specs))]


@pytest.mark.parametrize("optimizer", ["adam", pytest.param("sgd", marks=pytest.mark.slow)])
@pytest.mark.parametrize("loss", SOME_LOSSES, ids=str)
def test_a_member_goes_on_alone_from_its_checkpoint(
    loss: Mapping[str, Any], optimizer: str
) -> None:
    training = {"optimizer": {"kind": optimizer, "lr": 0.01}}
    specs = [spec_of(loss, training) for _ in range(3)]
    whole, keepers, _ = checkpointed(specs)
    kept = next(of for of in keepers[1].kept if of.step >= 20)
    reporter = ListReporter()
    one = BundleOfOne(specs[1], specs[1].arms[0], 1, CPU, reporter)
    one.restore(kept)
    assert one.step == kept.step
    assert one.run(lambda: False) == "succeeded"
    for key, points in values_of(reporter).items():
        assert points == [point for point in whole[1].series[key] if point[0] > kept.step], key
    assert keepers[1].snapshots[0] == 0


@pytest.mark.parametrize("loss", LOSSES[::2], ids=str)
def test_a_checkpoint_holds_nothing_of_other_members(loss: Mapping[str, Any]) -> None:
    specs = [spec_of(loss, {"epochs": 1})] * 4
    sizes = []
    for members in (specs, specs[:1]):
        _, keepers, _ = checkpointed(members)
        sizes.append([len(kept.content) for kept in keepers[0].kept])
    assert sizes[0] == sizes[1]


def test_checkpoints_of_a_training_alone_are_restored() -> None:
    spec = spec_of(TRIPLET)
    keeper = Keeping()
    first = Training(
        *(spec, spec.arms[0], 0, CPU, ListReporter()), keeper=keeper, checkpoint_s=1e-9
    )
    first.run(lambda: False)
    kept = next(of for of in keeper.kept if of.step >= 20)
    ours, theirs = ListReporter(), ListReporter()
    for training in (
        BundleOfOne(spec, spec.arms[0], 0, CPU, ours),
        Training(spec, spec.arms[0], 0, CPU, theirs),
    ):
        training.restore(kept)
        training.run(lambda: False)
    for key, points in values_of(theirs).items():
        assert ours.series[key][0][1] == pytest.approx(points[0][1], rel=2e-2, abs=1e-5), key
    # And the other way round.
    keeper = Keeping()
    BundleOfOne(
        *(spec, spec.arms[0], 0, CPU, ListReporter()), keeper=keeper, checkpoint_s=1e-9
    ).run(lambda: False)
    again = Training(spec, spec.arms[0], 0, CPU, ListReporter())
    again.restore(next(of for of in keeper.kept if of.step >= 20))
    assert again.run(lambda: False) == "succeeded"


def test_members_are_given_back_with_their_checkpoints() -> None:
    spec = spec_of(TRIPLET)
    asked = 0

    def stopping() -> bool:
        nonlocal asked
        asked += 1
        return asked > 30

    keepers = [Keeping(), Keeping()]
    members = [
        MemberSpec(spec, spec.arms[0], seed, ListReporter(), keeper=keeper)
        for seed, keeper in enumerate(keepers)
    ]
    ends: dict[int, Outcome] = {}
    Bundle(members, CPU, checkpoint_s=1e9, worker_stopping=stopping).run(ends.__setitem__)
    assert [type(ends[at]) for at in (0, 1)] == [GivenBackError, GivenBackError]
    assert [len(keeper.kept) for keeper in keepers] == [1, 1]
