"""Retrieval with smaller embeddings."""

import pytest
import torch
from torch.nn import functional

from worker import measure
from worker.errors import InputError
from worker.reporting import signs_of_life
from worker.reporting.signs_of_life import Sign


def items(count: int, seed: int, dims: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 6
    centres = torch.randn(6, dims, generator=torch.Generator().manual_seed(9))
    return centres[labels] + 0.9 * torch.randn(count, dims, generator=generator), labels


def recalls(found: dict[str, float]) -> dict[str, float]:
    return {key.split(".")[1]: value for key, value in found.items() if "recall" in key}


def test_each_way_is_retrieval_of_what_it_makes() -> None:
    embeddings, labels = items(90, 0)
    others, _ = items(120, 1)
    found = measure.smaller_embeddings(embeddings, labels, others)
    assert sorted(recalls(found)) == [
        "full",
        "int8",
        "pca_16",
        "pca_8",
        "truncated_16",
        "truncated_8",
    ]

    def expected(made: torch.Tensor) -> dict[str, float]:
        values = measure.retrieval(made, labels, ks=(1,))
        return {name: values[f"retrieval.{name}"] for name in ("recall_at_1", "map_at_r")}

    def of(way: str) -> dict[str, float]:
        return {name: found[f"dimension.{way}.{name}"] for name in ("recall_at_1", "map_at_r")}

    assert of("full") == expected(embeddings)
    assert of("truncated_8") == expected(embeddings[:, :8])
    mean = others.double().mean(0)
    _, _, directions = torch.linalg.svd(others.double() - mean, full_matrices=False)
    assert of("pca_8") == expected((embeddings.double() - mean) @ directions[:8].T)
    scale = others.abs().max(0).values / 127
    assert of("int8") == expected((embeddings / scale).round().clamp(-127, 127) * scale)


def test_truncated_embeddings_of_length_one_get_it_back() -> None:
    embeddings, labels = items(90, 0)
    embeddings = functional.normalize(embeddings)
    found = measure.smaller_embeddings(embeddings, labels, embeddings, normalize=True)
    values = measure.retrieval(functional.normalize(embeddings[:, :8]), labels, ks=(1,))
    assert found["dimension.truncated_8.map_at_r"] == values["retrieval.map_at_r"]


def test_few_dimensions_are_not_cut_and_constant_ones_have_no_scale() -> None:
    embeddings, labels = items(30, 0, dims=8)
    embeddings[:, 3] = 0
    assert sorted(recalls(measure.smaller_embeddings(embeddings, labels, embeddings))) == [
        "full",
        "int8",
    ]


def test_of_many_items_a_fixed_part_is_used() -> None:
    embeddings, labels = items(2_300, 0, dims=9)
    found = measure.smaller_embeddings(embeddings, labels, embeddings[:50])
    assert found == measure.smaller_embeddings(embeddings, labels, embeddings[:50])
    assert (
        found["dimension.full.map_at_r"]
        != measure.retrieval(embeddings, labels)["retrieval.map_at_r"]
    )


def test_wide_embeddings_are_cut_more_often_and_the_long_call_is_told() -> None:
    embeddings, labels = items(30, 0, dims=1_030)
    others, _ = items(1_100, 1, dims=1_030)
    told: list[Sign] = []
    signs_of_life.listen(told.append)
    try:
        signs_of_life.begin("measuring")
        found = measure.smaller_embeddings(embeddings, labels, others)
    finally:
        signs_of_life.listen(None)
    assert {"truncated_1024", "pca_1024"} <= set(recalls(found))
    assert "truncated_2048" not in recalls(found)
    assert sum(sign.long for sign in told) == 1


def test_what_it_is_fitted_on_has_as_many_dimensions() -> None:
    embeddings, labels = items(30, 0)
    with pytest.raises(InputError, match="fitted_on"):
        measure.smaller_embeddings(embeddings, labels, embeddings[:, :5])


def test_few_items_have_no_more_components_than_they_span() -> None:
    embeddings, labels = items(60, 0, dims=40)
    others, _ = items(17, 1, dims=40)
    ways = recalls(measure.smaller_embeddings(embeddings, labels, others))
    assert {"pca_8", "pca_16", "truncated_32"} <= set(ways)
    assert "pca_32" not in ways
    assert "pca_16" not in recalls(measure.smaller_embeddings(embeddings, labels, others[:16]))


def test_a_part_without_two_of_a_class_is_not_measured() -> None:
    labels = torch.arange(50_000)
    labels[1] = 0
    embeddings = torch.randn(len(labels), 4, generator=torch.Generator().manual_seed(0))
    assert measure.smaller_embeddings(embeddings, labels, embeddings[:9]) == {}
    with pytest.raises(InputError, match="a class with two members"):
        measure.smaller_embeddings(embeddings[:9], torch.arange(9), embeddings[:9])


def test_values_that_are_not_finite_are_refused() -> None:
    embeddings, labels = items(30, 0)
    broken = embeddings.clone()
    broken[3, 0] = torch.nan
    with pytest.raises(InputError, match="embeddings: 1 of 30 rows are not finite"):
        measure.smaller_embeddings(broken, labels, embeddings)
    with pytest.raises(InputError, match="fitted_on: 1 of 30 rows are not finite"):
        measure.smaller_embeddings(embeddings, labels, broken)
