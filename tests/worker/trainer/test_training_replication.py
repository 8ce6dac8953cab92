"""Runs with a split each: the arms of a seed share it, other seeds have others."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from contract.comparison.spec import ComparisonSpec, parse_spec
from tests.support.specs import small
from worker.reporting.reporter import ListReporter
from worker.snapshots import SampleSet
from worker.trainer.checkpoint import training_identity
from worker.trainer.inputs import prepare_inputs
from worker.trainer.training import Training

CPU = torch.device("cpu")
ARMS = [{"name": kind, "loss": {"kind": kind}} for kind in ("contrastive", "triplet")]


def spec_of(**changes: Any) -> ComparisonSpec:
    usual = {"training": {"epochs": 1, "batch_size": 64}, "seeds": [7, 3], "arms": ARMS}
    return parse_spec(small(**{**usual, **changes}))


def trained(spec: ComparisonSpec, arm: int, seed: int) -> tuple[Training, dict[str, Any]]:
    reporter = ListReporter()
    training = Training(spec, spec.arms[arm], seed, CPU, reporter)
    training.run(lambda: False)
    del reporter.series["run.elapsed_s"]
    return training, reporter.series


def samples(training: Training) -> SampleSet:
    return training.member._prepared.inputs.samples


def items(training: Training) -> dict[str, torch.Tensor]:
    held = training.member.data
    return {name: getattr(held, name).items for name in ("train", "validation", "test")}


def test_the_arms_of_a_seed_share_a_split_and_seeds_have_others() -> None:
    spec = spec_of(replicate="split")
    first, second = trained(spec, 0, 7)[0], trained(spec, 1, 7)[0]
    other = trained(spec, 0, 3)[0]
    for name, own in items(first).items():
        assert torch.equal(own, items(second)[name])
        assert not torch.equal(own, items(other)[name])
    assert torch.equal(samples(first).places, samples(second).places)
    assert samples(first).description == samples(second).description
    assert samples(first).description.ids != samples(other).description.ids


def test_the_first_seed_has_the_values_of_the_plain_run() -> None:
    plain, split = spec_of(seeds=[7]), spec_of(replicate="split")
    assert trained(plain, 0, 7)[1] == trained(split, 0, 7)[1]
    shifted = spec_of(seeds=[3], data={"kind": "digits", "seed": 1})
    assert trained(shifted, 0, 3)[1] == trained(split, 0, 3)[1]


def test_seeds_that_are_added_later_leave_the_splits_of_the_others() -> None:
    spec = spec_of(replicate="split")
    more = spec.model_copy(update={"seeds": [*spec.seeds, 11]})
    assert [more.data_of(seed).seed for seed in more.seeds] == [0, 1, 2]
    for seed in spec.seeds:
        arm = spec.arms[0]
        assert training_identity(spec, arm, seed, CPU) == training_identity(more, arm, seed, CPU)


@pytest.mark.parametrize("validation", ["classes", "items"])
def test_halves_of_classes_are_drawn_disjoint_and_cover_all(
    tmp_path: Path, validation: str
) -> None:
    path = tmp_path / "table.npz"
    features = np.random.default_rng(0).standard_normal((200, 8))
    np.savez(path, features=features, labels=np.arange(200) % 20)
    data = {"kind": "features", "file": str(path), "split": "class", "validation": validation}
    spec = spec_of(data=data, replicate="split", seeds=list(range(6)))
    halves = []
    for seed in spec.seeds:
        own = spec.model_copy(update={"data": spec.data_of(seed)})
        held = prepare_inputs(own, CPU, lambda *_: None).data
        tested = set(held.test.labels.tolist())
        learnt = set(held.train.labels.tolist()) | set(held.validation.labels.tolist())
        assert not tested & learnt
        assert tested | learnt == set(range(20))
        assert len(held.train) + len(held.validation) + len(held.test) == 200
        halves.append(frozenset(tested))
    assert len(set(halves)) == 6
    assert frozenset(range(10, 20)) not in halves  # no draw is special, the first one neither
    plain = prepare_inputs(spec_of(data=data), CPU, lambda *_: None).data
    assert set(plain.test.labels.tolist()) == set(range(10, 20))


def test_a_checkpoint_belongs_to_its_split() -> None:
    plain, split = spec_of(), spec_of(replicate="split")
    arm = plain.arms[0]
    digests = {
        training_identity(spec, arm, seed, CPU) for spec in (plain, split) for seed in spec.seeds
    }
    assert len(digests) == 4


def test_a_spec_of_an_earlier_version_keeps_the_identity_of_its_checkpoints() -> None:
    """The digest is the one that version 0.5 computed for this spec."""
    spec = spec_of(seeds=[0], arms=[{"name": "s", "loss": {"kind": "sup_con"}}])
    assert (
        training_identity(spec, spec.arms[0], 0, CPU)
        == "053cc4d63d9aba23280c8c0eabb8beffde83e92f964ba5f5124829cbbc4bd987"
    )
