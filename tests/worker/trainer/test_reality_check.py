"""The preset of the reality check on a feature table: every loss, fold by fold, and final runs."""

import numpy as np
import pytest

from contract.catalogue.presets import PRESETS
from contract.comparison.spec import ComparisonSpec, parse_spec
from contract.comparison.tuning import Value
from contract.tuning.draws import settled, value_of
from contract.tuning.specs import final_spec, trial_spec
from tests.support.bundles import train_bundle

PRESET = next(preset.spec for preset in PRESETS if preset.id == "mlrc") or {}
OBJECTIVE = "retrieval.map_at_r"
CLASSES, EACH = 24, 10


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> ComparisonSpec:
    """The preset on a table with a linear head, for two epochs and three seeds."""
    file = tmp_path_factory.mktemp("table") / "table.npz"
    labels = np.arange(CLASSES * EACH) % CLASSES
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(CLASSES, 16))
    features = centres[labels] + rng.normal(size=(len(labels), 16))
    np.savez(file, features=features.astype(np.float32), labels=labels)
    own = {
        "data": {"kind": "features", "file": str(file), "split": "class"},
        "encoder": {"kind": "mlp", "layers": 0, "embedding_dim": 128},
        "training": {**PRESET["training"], "epochs": 2},
        "seeds": [0, 1, 2],
    }
    return parse_spec({**PRESET, **own})


def drawn(spec: ComparisonSpec, arm: str, share: float) -> dict[str, Value]:
    space = spec.arm(arm).search
    return settled({path: value_of(path, one, share) for path, one in space.items()}, space)


@pytest.mark.parametrize("arm", [arm["name"] for arm in PRESET["arms"]])
def test_every_loss_is_searched_and_tested(spec: ComparisonSpec, arm: str) -> None:
    validated = 0
    for fold in range(4):
        settings: list[dict[str, Value]] = [{}, drawn(spec, arm, 0.4)]
        trials = [(trial_spec(spec, arm, params, fold), 1000) for params in settings]
        reporters, ends = train_bundle(trials)
        assert ends == ["succeeded", "succeeded"]
        for found in reporters:
            assert [step for step, _ in found.series[OBJECTIVE]] == [0, 2, 4]
            assert not [key for key in found.series if "test." in key]
        validated += reporters[0].splits["validation"]
    assert validated == CLASSES // 2 * EACH  # the half of the classes that is not tested
    final = final_spec(spec, arm, drawn(spec, arm, 0.4), epochs=1)
    reporters, ends = train_bundle([(final, seed) for seed in final.seeds])
    assert ends == ["succeeded"] * 3
    for found in reporters:
        assert found.splits["test"] == CLASSES // 2 * EACH
        assert found.splits["validation"] == CLASSES // 2 * EACH // 5
        [(step, tested)] = found.series[f"test.{OBJECTIVE}"]
        assert step == found.total_steps == CLASSES // 2 * EACH * 4 // 5 // 32  # one epoch
        assert tested is not None
        assert 0 < tested <= 1
