"""What a published benchmark found best, where a search can be compared with it."""

from typing import Any

import pytest

from contract.catalogue.optima import published_optimum
from contract.comparison.spec import parse_spec
from contract.tuning.paths import loss_settings
from tests.support.specs import small


def optimum(data: str, loss: dict[str, Any], path: str, *, normalize: bool = True) -> float | None:
    encoder = {"kind": "resnet50", "normalize": normalize}
    if data == "digits":
        encoder = {"kind": "mlp", "normalize": normalize}
    arms = [{"name": "arm", "loss": loss}]
    spec = parse_spec(small(data={"kind": data}, encoder=encoder, arms=arms))
    return published_optimum(spec, spec.arms[0], path)


@pytest.mark.parametrize("data", ["cub200", "cars196", "sop"])
@pytest.mark.parametrize("kind", ["contrastive", "info_nce", "arcface"])
def test_published_values_are_of_settings_that_a_search_can_vary(data: str, kind: str) -> None:
    arms = [{"name": "arm", "loss": {"kind": kind}}]
    spec = parse_spec(
        small(data={"kind": data}, encoder={"kind": "resnet50", "normalize": True}, arms=arms)
    )
    settings = loss_settings(type(spec.arms[0].loss))
    found = {
        name: value
        for name in settings
        if (value := published_optimum(spec, spec.arms[0], f"loss.{name}")) is not None
    }
    assert bool(found) == ((data, kind) != ("sop", "info_nce"))
    for name, value in found.items():
        settings[name].check.validate_python(value)


def test_it_is_named_where_margins_mean_the_same() -> None:
    assert optimum("cub200", {"kind": "contrastive"}, "loss.margin") == 0.3841
    assert optimum("cub200", {"kind": "contrastive"}, "loss.positive_margin") == 0.0
    assert optimum("cars196", {"kind": "contrastive"}, "loss.positive_margin") == 0.2652
    assert optimum("cub200", {"kind": "arcface"}, "loss.margin") == pytest.approx(0.40527, abs=1e-5)
    assert optimum("digits", {"kind": "contrastive"}, "loss.margin") is None
    assert optimum("cub200", {"kind": "triplet"}, "loss.margin") is None
    cosine = {"kind": "contrastive", "distance": "cosine"}
    assert optimum("cub200", cosine, "loss.margin") is None
    assert optimum("cub200", {"kind": "contrastive"}, "loss.margin", normalize=False) is None
    assert optimum("cub200", {"kind": "contrastive"}, "training.optimizer.lr") is None
