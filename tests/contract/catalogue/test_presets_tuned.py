"""Presets whose arms are tuned."""

from typing import Any

import pytest

from contract.catalogue.presets import PRESETS
from contract.comparison.spec import ComparisonSpec, parse_spec
from contract.tuning.problems import runs_of, runs_text, tuning_problems
from contract.tuning.spaces import completed

TUNED = {preset.id: preset for preset in PRESETS if preset.spec and "tuning" in preset.spec}


def spec_of(id_: str, **changes: Any) -> ComparisonSpec:
    return completed(parse_spec({**(TUNED[id_].spec or {}), **changes}))


@pytest.mark.parametrize("id_", ["digits-tuned", "mlrc"])
def test_a_tuned_preset_can_be_submitted(id_: str) -> None:
    spec = spec_of(id_)
    assert tuning_problems(spec.model_dump(mode="json")) == []
    assert all(arm.search for arm in spec.arms)
    assert len(spec.seeds) == 10


@pytest.mark.parametrize(
    "data", [{"kind": "cars196"}, {"kind": "sop"}, {"kind": "features", "file": "/data/x.npz"}]
)
def test_the_reality_check_takes_other_data(data: dict[str, Any]) -> None:
    table = data["kind"] == "features"
    own = {"data": {**data, "split": "class"}, "encoder": {"kind": "mlp"}} if table else {}
    spec = spec_of("mlrc", **({"data": data} | own))
    assert tuning_problems(spec.model_dump(mode="json")) == []


def test_the_reality_check_keeps_the_protocol() -> None:
    spec = spec_of("mlrc")
    assert getattr(spec.data, "split") == "class"  # noqa: B009
    assert spec.encoder.embedding_dim == 128
    assert spec.tuning is not None
    assert spec.tuning.folds == 4
    for arm in spec.arms:
        training = spec.training_of(arm)
        assert training.batch_size == 32
        assert getattr(training.sampler, "m") == 4  # noqa: B009
        assert "training.sampler.m" not in arm.search
        assert any(path.startswith("loss.") for path in arm.search)
    assert runs_text(spec) == "5 arms x 24 trials x 4 folds + 5 x 10 seeds = 530 runs"


def test_the_tuned_digits_have_as_many_runs_as_they_say() -> None:
    preset = TUNED["digits-tuned"]
    assert f"{runs_of(spec_of('digits-tuned'))} runs" in preset.idea
