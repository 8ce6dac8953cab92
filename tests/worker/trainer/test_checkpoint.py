"""A training that goes on from a checkpoint reports the same as one that was never interrupted."""

import io
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from contract.comparison.spec import parse_spec
from tests.support import tiny_sets, tiny_spoken
from tests.support.specs import small
from worker.api.client import Claim
from worker.errors import BlobLostError, CheckpointError
from worker.reporting.reporter import ListReporter
from worker.snapshots import Checkpoint, NoKeeper
from worker.trainer import checkpoint
from worker.trainer.attempt import run_attempt
from worker.trainer.checkpoint import Checkpoints
from worker.trainer.training import Training

CPU = torch.device("cpu")
Json = dict[str, Any]
Series = dict[str, list[tuple[int, float | None]]]


class MemoryKeeper(NoKeeper):
    """Keeps every checkpoint in memory, and is always ready for the next."""

    def __init__(self) -> None:
        self.saved: dict[int, bytes] = {}

    def ready_for_checkpoint(self) -> bool:
        return True

    def keep_checkpoint(self, checkpoint: Checkpoint) -> None:
        self.saved[checkpoint.step] = checkpoint.content


@pytest.fixture
def unlimited_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let checkpoints take all of a run's time, so that there is one before every step."""
    monkeypatch.setattr(checkpoint, "MAX_TIME_SHARE", math.inf)


def build(raw: Json, reporter: ListReporter, keeper: NoKeeper | None = None) -> Training:
    spec = parse_spec(raw)
    every = 1e-9 if keeper else 0.0
    return Training(spec, spec.arms[0], 3, CPU, reporter, keeper=keeper, checkpoint_s=every)


def with_loss(**loss: Any) -> Json:
    return {"arms": [{"name": "arm", "loss": loss}]}


CONVNET = {"kind": "convnet", "channels": 4, "embedding_dim": 8}
SGD = {"kind": "sgd", "lr": 0.05, "momentum": 0.9}

CASES: dict[str, Json] = {
    "mlp": {},
    "sampled": with_loss(kind="contrastive", selection="sampled"),
    "semi-hard": with_loss(kind="triplet", selection="semi_hard"),
    "distance-weighted": with_loss(kind="triplet", selection="distance_weighted"),
    "n-pair": with_loss(kind="n_pair"),
    "proxies": with_loss(kind="arcface"),
    "proxies with a learning rate of their own": {
        "training": {"epochs": 3, "batch_size": 256, "optimizer": {"kind": "adam", "loss_lr": 0.1}},
        **with_loss(kind="arcface"),
    },
    "balanced": with_loss(
        kind="contrastive", reduction="balanced", positive_margin=0.1, hinge="linear"
    ),
    "centres": with_loss(kind="center_contrastive"),
    "augmented convnet": {
        "encoder": CONVNET,
        "training": {"epochs": 3, "batch_size": 256, "augmentation": "flip_shift"},
    },
    "m per class, sgd": {
        "training": {
            "epochs": 3,
            "batch_size": 200,
            "sampler": {"kind": "m_per_class", "m": 20},
            "optimizer": SGD,
        },
    },
    "worse than untrained": {
        "training": {"epochs": 3, "batch_size": 256, "optimizer": {"kind": "sgd", "lr": 50}},
        **with_loss(kind="triplet", margin=0.5, selection="batch_hard"),
    },
    "adamw, bfloat16": {
        "training": {
            "epochs": 3,
            "batch_size": 256,
            "optimizer": {"kind": "adamw", "weight_decay": 0.1},
            "precision": "bfloat16",
        },
    },
}
QUICK_CASES = ("sampled", "proxies with a learning rate of their own")
"""One with draws, one with parameters of the loss."""


def spec_of(changes: Json) -> Json:
    raw = small(training={"epochs": 3, "batch_size": 256}, measure={"evaluate_every": 2})
    return {**raw, **changes}


def assert_same_as_uninterrupted(raw: Json, restarts: int = 5) -> None:
    """Restart at several steps: within an epoch, between two, after an evaluation and not."""
    whole, keeper = ListReporter(), MemoryKeeper()
    build(raw, whole, keeper).run(lambda: False)
    total = whole.total_steps
    assert sorted(keeper.saved) == list(range(1, total))  # before every step but the first
    epoch = whole.steps_per_epoch
    for step in (epoch, total - 1, 1, epoch + 1, 2 * epoch)[:restarts]:
        rest = ListReporter()
        torch.manual_seed(step)  # as in a process that has drawn other numbers
        training = build(raw, rest)
        training.restore(Checkpoint(step, keeper.saved[step]))
        assert training.run(lambda: False) == "succeeded"
        assert rest.after == step
        assert values(rest.series) == values(later(whole.series, step))
        assert rest.states == whole.states
        began = rest.series["run.elapsed_s"][0][1]
        before = whole.series["run.elapsed_s"][step - 1]
        assert before[0] == step
        assert (began or 0) > (before[1] or 0)  # the clock goes on from there


def later(series: Series, after: int) -> Series:
    """Return the points after a step, and those of the test split, which come at the end."""
    found = {
        key: points if key.startswith("test.") else [point for point in points if point[0] > after]
        for key, points in series.items()
    }
    return {key: points for key, points in found.items() if points}


def values(series: Series) -> Series:
    """Return all series but the time."""
    return {key: points for key, points in series.items() if key != "run.elapsed_s"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in QUICK_CASES else pytest.mark.slow) for name in CASES],
)
def test_a_restored_training_reports_the_same(name: str, unlimited_checkpoints: None) -> None:
    assert_same_as_uninterrupted(spec_of(CASES[name]))


@pytest.mark.slow
def test_a_restored_training_of_two_encoders_reports_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unlimited_checkpoints: None
) -> None:
    monkeypatch.setenv("LOSSBOARD_DATASETS_DIR", str(tmp_path))
    tiny_spoken.write(tmp_path)
    raw = small(
        data={"kind": "spoken_digits", "images": "digits"},
        encoder={"kind": "audio_convnet", "channels": 4, "embedding_dim": 8},
        visual_encoder={"kind": "convnet", "channels": 4, "embedding_dim": 8},
        training={"epochs": 3, "batch_size": 20},
    )
    assert_same_as_uninterrupted(raw)


@pytest.mark.slow
@pytest.mark.parametrize("tuning", ["frozen", "full"])
def test_a_restored_training_with_a_backbone_reports_the_same(
    tuning: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unlimited_checkpoints: None
) -> None:
    monkeypatch.setenv("LOSSBOARD_DATASETS_DIR", str(tmp_path / "datasets"))
    tiny_sets.write(tmp_path / "images", tiny_sets.image_files(classes=4, each=10))
    raw = small(
        data={
            "kind": "image_folder",
            "folder": str(tmp_path / "images"),
            "split": "item",
            "image_size": 16,
        },
        encoder={
            "kind": "resnet18",
            "weights": "random",
            "tuning": tuning,
            "embedding_dim": 8,
        },
        training={"epochs": 2, "batch_size": 12},
    )
    assert_same_as_uninterrupted(raw, restarts=2)


def saved_after(raw: Json, step: int, monkeypatch: pytest.MonkeyPatch) -> Checkpoint:
    """Return the checkpoint after a step of a whole run."""
    monkeypatch.setattr(checkpoint, "MAX_TIME_SHARE", math.inf)
    keeper = MemoryKeeper()
    build(raw, ListReporter(), keeper).run(lambda: False)
    return Checkpoint(step, keeper.saved[step])


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda raw: raw["training"].update(batch_size=128), "another spec, seed or device"),
        (lambda raw: raw["arms"][0]["loss"].update(margin=0.1), "another spec, seed or device"),
        (lambda raw: raw["encoder"].update(hidden=32), "another spec, seed or device"),
        (lambda raw: raw.update(name="renamed", notes="x", seeds=[3, 4]), None),
    ],
)
def test_only_a_checkpoint_of_the_same_training_is_restored(
    change: Any, what: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = spec_of({})
    saved = saved_after(raw, 2, monkeypatch)
    change(raw)
    training = build(raw, ListReporter())
    if what is None:
        training.restore(saved)
        assert training.step == 2
        return
    with pytest.raises(CheckpointError, match=what):
        training.restore(saved)


def test_a_checkpoint_of_a_version_without_states_is_restored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saved = saved_after(spec_of({}), 2, monkeypatch)
    known = torch.load(io.BytesIO(saved.content), weights_only=True)
    del known["state"]["states"]
    file = io.BytesIO()
    torch.save(known, file)
    training = build(spec_of({}), ListReporter())
    training.restore(Checkpoint(2, file.getvalue()))
    assert training.run(lambda: False) == "succeeded"


def damaged(content: bytes, how: str) -> bytes:
    match how:
        case "empty":
            return b""
        case "cut short":
            return content[: len(content) // 2]
        case "no checkpoint":
            file = io.BytesIO()
            torch.save({"weights": torch.zeros(3)}, file)
            return file.getvalue()
    known = torch.load(io.BytesIO(content), weights_only=True)
    match how:
        case "of another format":
            known["format"] = checkpoint.FORMAT + 1
        case "of another step":
            known["step"] += 1
        case "without a part":
            del known["state"]["optimizer"]
        case "with other weights":
            known["state"]["model"] = {"other": torch.zeros(3)}
    file = io.BytesIO()
    torch.save(known, file)
    return file.getvalue()


DAMAGES = ("cut short", "no checkpoint", "of another format", "of another step", "without a part")


@pytest.mark.parametrize(
    "how",
    [
        *("sound", "empty", "with other weights", "gone"),
        *(pytest.param(how, marks=pytest.mark.slow) for how in DAMAGES),
    ],
)
def test_an_attempt_says_whether_it_goes_on_or_starts_over(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = spec_of({})
    saved = saved_after(raw, 4, monkeypatch)

    def fetch(digest: str) -> bytes:
        assert digest == "d"
        if how == "gone":
            raise BlobLostError("the API answers 404")
        return saved.content if how == "sound" else damaged(saved.content, how)

    claim = Claim(
        run="r",
        attempt=2,
        start_after=4,
        checkpoint="d",
        lease_s=10,
        comparison="c",
        arm="triplet",
        seed=3,
        spec=raw,
    )
    reporter, whole = ListReporter(), ListReporter()
    run_attempt(claim, reporter, lambda: False, CPU, fetch=fetch)
    build(raw, whole).run(lambda: False)
    assert reporter.state == "succeeded", reporter.failure
    [line] = [line for line in reporter.lines if "checkpoint of step 4" in line]
    if how == "sound":
        assert reporter.after == 4
        assert line == "attempt 2 goes on from the checkpoint of step 4"
        assert values(reporter.series) == values(later(whole.series, 4))
    else:
        assert reporter.after == 0
        assert "the run starts over" in line
        assert values(reporter.series) == values(whole.series)


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class SlowPart:
    """A part of a training that takes some seconds to save."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock, self.seconds = clock, seconds

    def state_dict(self) -> Json:
        self.clock.now += self.seconds
        return {}

    def load_state_dict(self, state: Json) -> None:
        assert not state


def test_slow_checkpoints_are_taken_less_often() -> None:
    clock = Clock()
    checkpoints = Checkpoints("own", {"part": SlowPart(clock, 3.0)}, MemoryKeeper(), 30.0, clock)
    assert not checkpoints.due()
    clock.now = 30.0
    assert checkpoints.due()
    checkpoints.save(1)
    clock.now += 99.0
    assert not checkpoints.due()
    clock.now += 1.0
    assert checkpoints.due()  # 3 s of 100 are 3 %


def test_none_is_taken_while_the_previous_one_is_not_stored_or_if_switched_off() -> None:
    clock = Clock()
    waiting = Checkpoints("own", {}, NoKeeper(), 30.0, clock)
    never = Checkpoints("own", {}, MemoryKeeper(), 0.0, clock)
    clock.now = 1e6
    assert not waiting.due()
    assert not never.due()


def test_checkpoints_of_runs_that_train_as_one_take_that_share_together() -> None:
    clock = Clock()
    part = {"part": SlowPart(clock, 3.0)}
    checkpoints = Checkpoints("own", part, MemoryKeeper(), 30.0, clock, together=4)
    checkpoints.save(1)
    clock.now += 399.0
    assert not checkpoints.due()
    clock.now += 1.0
    assert checkpoints.due()
