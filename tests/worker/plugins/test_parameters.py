"""Parameters of plug-ins as JSON schemas, their values as arguments, and their search spaces."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from tests.support.plugins import pml_ref
from worker.errors import InputError
from worker.plugins.parameters import Parameters, with_search
from worker.plugins.sources import load_one


class Every:
    """One parameter of each kind."""

    def __init__(  # type: ignore[no-untyped-def] # noqa: PLR0917
        self,
        temperature: Annotated[float, Field(0.1, gt=0, le=5, title="Temperature")],
        margin: float = 0.5,
        bins: Annotated[int, Field(ge=2)] = 10,
        side: Literal["left", "right"] = "left",
        bias: float | None = None,
        soft: bool = False,
        word: str = "x",
        kernel: Any = None,
        untyped=3.0,  # noqa: ANN001
        num_classes: int = 0,
        dim: int = 0,
    ) -> None:
        self.given = (num_classes, dim)


def test_schemas_come_from_the_signature() -> None:
    found = Parameters(Every)
    assert found.given == ("num_classes", "dim")
    assert list(found.schemas) == [
        *("temperature", "margin", "bins", "side", "bias", "soft", "word", "untyped")
    ]
    assert found.schemas["temperature"] == {
        "default": 0.1,
        "exclusiveMinimum": 0,
        "maximum": 5,
        "title": "Temperature",
        "type": "number",
        "x-search": {"low": 0.01, "high": 1.0, "log": True},
    }
    assert found.schemas["side"]["enum"] == ["left", "right"]
    assert found.schemas["bias"]["anyOf"] == [{"type": "null"}, {"type": "number"}]
    assert found.schemas["untyped"]["type"] == "number"
    searched = {name for name, schema in found.schemas.items() if "x-search" in schema}
    assert searched == {"temperature", "margin", "untyped"}


def test_arguments_are_checked_and_completed() -> None:
    found = Parameters(Every)
    arguments = found.arguments({"temperature": 2}, classes=7, dim=3)
    assert (arguments["temperature"], arguments["bins"], arguments["kernel"]) == (2.0, 10, None)
    assert Every(**arguments).given == (7, 3)
    with pytest.raises(InputError, match=r"params\.temperature: .*less than or equal to 5; got 6"):
        found.arguments({"temperature": 6}, classes=7, dim=3)
    with pytest.raises(InputError, match=r"params\.heat: unknown"):
        found.arguments({"heat": 6}, classes=7, dim=3)


def test_a_parameter_without_a_default_is_told() -> None:
    class Bare:
        def __init__(self, margin: float) -> None: ...

    class Untyped:
        def __init__(self, margin) -> None: ...  # type: ignore[no-untyped-def] # noqa: ANN001

    with pytest.raises(InputError, match="'margin' has no default"):
        Parameters(Bare)
    with pytest.raises(InputError, match="'margin' has neither a type nor a default"):
        Parameters(Untyped)


@pytest.mark.parametrize(
    ("schema", "space"),
    [
        ({"default": 2.0}, {"low": 0.2, "high": 20.0, "log": True}),
        ({"default": 0.5, "minimum": 0, "maximum": 1}, {"low": 0.0, "high": 1.0, "log": False}),
        (
            {"default": 1.0, "minimum": 0.01, "maximum": 10},
            {"low": 0.01, "high": 10.0, "log": True},
        ),
        ({"default": 0.5, "maximum": 0.8}, {"low": 0.05, "high": 0.8, "log": True}),
        ({"default": 0.0}, None),
        ({"default": -1.0}, None),
        ({"default": 3, "type": "integer"}, None),
        (
            {"default": 1.0, "x-search": {"low": 2, "high": 3}},
            {"low": 2.0, "high": 3.0, "log": False},
        ),
        ({"default": 1.0, "x-search": {"choices": [1, 2]}}, {"choices": [1, 2]}),
    ],
)
def test_spaces_are_made_ready(schema: dict[str, Any], space: dict[str, Any] | None) -> None:
    assert with_search({"type": "number", **schema}).get("x-search") == space


def test_a_declared_space_must_be_one() -> None:
    with pytest.raises(InputError, match="low 3 is not below high 2"):
        with_search({"type": "number", "x-search": {"low": 3, "high": 2}})


def test_parameters_of_the_library_are_numbers_unless_they_are_known_to_be_whole() -> None:
    similarity = load_one(pml_ref("MultiSimilarityLoss"))
    alpha = similarity.parameters.schemas["alpha"]
    assert alpha == {
        "type": "number",
        "default": 2.0,
        "x-search": {"low": 0.2, "high": 20.0, "log": True},
    }
    assert similarity.miners["MultiSimilarityMiner"]["epsilon"]["type"] == "number"
    triple = load_one(pml_ref("SoftTripleLoss")).parameters
    assert triple.schemas["centers_per_class"]["type"] == "integer"
    assert triple.given == ("num_classes", "embedding_size")
    triplet = load_one(pml_ref("TripletMarginLoss")).parameters
    assert triplet.arguments({}, classes=3, dim=2)["triplets_per_anchor"] == "all"
    assert (
        triplet.arguments({"triplets_per_anchor": 4}, classes=3, dim=2)["triplets_per_anchor"] == 4
    )
