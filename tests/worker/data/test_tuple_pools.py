"""Splits, folds and batches of tuples."""

import numpy as np
import pytest
import torch

from contract.comparison.data import SHAPES, GeneratedTuplesData, TupleShape
from contract.comparison.tuning import Fold
from worker import data
from worker.data import Pool, Texts
from worker.data.folds import trial_pool
from worker.data.sources.tuple_pools import tuple_pool
from worker.data.tuples import TupleRows
from worker.errors import DataError

PARTS = ("train", "validation", "test")


def generated(shape: TupleShape, seed: int = 0) -> Pool:
    return data.load(GeneratedTuplesData(shape=shape, per_request=2, seed=seed))


def dataset(pool: Pool) -> data.Dataset:
    return pool.dataset(torch.arange(len(pool.labels), dtype=torch.float32)[:, None])


@pytest.mark.parametrize("shape", SHAPES)
def test_generated_tuples_are_split_by_requests(shape: TupleShape) -> None:
    pool = generated(shape)
    assert pool.tuples is not None
    found = dataset(pool)
    assert found.sizes == {"train": 576, "validation": 192, "test": 192}
    own = [set(split.items[:, 0].tolist()) for split in (found.train, found.validation, found.test)]
    assert not own[0] & own[1]
    assert not own[0] & own[2]
    assert not own[1] & own[2]
    # Places of a split lead to the same items as those of the pool.
    rows = found.test.rows
    assert rows is not None
    there = found.test.items[rows.places][..., 0].long()
    assert torch.equal(there, pool.tuples.part("test").places)
    again, other = generated(shape), generated(shape, seed=1)
    assert isinstance(pool.items, Texts)
    assert isinstance(again.items, Texts)
    assert again.items.texts == pool.items.texts
    assert other.tuples is not None
    assert (other.tuples.parts != pool.tuples.parts).any()


def test_items_that_positives_link_are_a_group() -> None:
    rows = TupleRows(
        "triplets",
        torch.tensor([[3 * i, 3 * i + 1, 3 * i + 2] for i in range(20)] + [[0, 4, 20]]),
    )
    pool = tuple_pool(Texts(tuple("t" * 60)), [str(i) for i in range(60)], rows, seed=0)
    labels = pool.labels
    assert labels[0] == labels[1] == labels[4] == labels[3]
    assert labels[2] != labels[0]
    assert pool.tuples is not None
    # The shared negative 20 links row 6 with the others for the split, and not for the groups.
    components = pool.tuples.components
    assert components[0] == components[1] == components[6] == components[20]
    assert labels[20] != labels[0]
    assert pool.class_names is not None
    assert pool.class_names[int(labels[4])] == "0"


@pytest.mark.parametrize("shape", SHAPES)
def test_folds_hold_whole_components_out_once_each(shape: TupleShape) -> None:
    pool, spec = generated(shape), GeneratedTuplesData(shape=shape, per_request=2)
    assert pool.tuples is not None
    held = np.zeros(len(pool.tuples.parts), dtype=int)
    for number in range(3):
        own = trial_pool(pool, spec, Fold(number=number, of=3))
        assert own.tuples is not None
        validates = own.tuples.parts == "validation"
        held += validates
        of_validation = set(own.tuples.components[validates])
        assert not of_validation & set(own.tuples.components[own.tuples.parts == "train"])
        assert not len(own.indices.test)
        assert not (own.tuples.parts[pool.tuples.parts == "test"] != "").any()
    assert held.tolist() == (pool.tuples.parts != "test").astype(int).tolist()
    ordinary = trial_pool(pool, spec, None)
    assert dataset(ordinary).sizes == {"train": 576, "validation": 192, "test": 0}


def pairs(count: int) -> TupleRows:
    return TupleRows("pairs", torch.arange(2 * count).view(-1, 2))


def test_a_given_split_is_kept_and_validation_drawn_from_train() -> None:
    names = [str(i) for i in range(40)]
    parts = ["train"] * 15 + ["test"] * 5
    pool = tuple_pool(Texts(tuple(names)), names, pairs(20), seed=0, parts=parts)
    assert dataset(pool).sizes == {"train": 12, "validation": 3, "test": 5}
    assert pool.tuples is not None
    assert (pool.tuples.parts[15:] == "test").all()


def test_one_large_group_cannot_be_split() -> None:
    rows = TupleRows("pairs", torch.tensor([[0, i + 1] for i in range(20)]))
    names = [str(i) for i in range(21)]
    with pytest.raises(DataError, match="20 tuples in 1 groups of linked items cannot be split"):
        tuple_pool(Texts(tuple(names)), names, rows, seed=0)
    pool = generated("pairs")
    with pytest.raises(DataError, match="fold 1 of 3"):
        trial_pool(
            pool.with_parts(np.where(np.arange(960) < 2, "train", "test")),
            GeneratedTuplesData(),
            Fold(number=0, of=3),
        )


def test_a_split_of_one_label_is_refused() -> None:
    rows = TupleRows("labelled_pairs", torch.arange(40).view(-1, 2), same=torch.arange(20) < 12)
    names = [str(i) for i in range(40)]
    parts = ["train"] * 12 + ["validation"] * 4 + ["test"] * 4
    with pytest.raises(DataError, match="train split would hold pairs of one label only"):
        tuple_pool(Texts(tuple(names)), names, rows, seed=0, parts=parts)


def test_a_batch_has_the_items_of_its_tuples_once() -> None:
    train = dataset(generated("triplets")).train
    assert train.rows is not None
    index = torch.tensor([0, 1, 5])
    batch = train.batch(index)
    assert batch.rows is not None
    assert len(batch) == len(train.rows.places[index].unique())
    again = batch.items[batch.rows.places]
    assert torch.equal(again, train.items[train.rows.places[index]])
    assert torch.equal(
        batch.labels,
        train.labels[
            batch.items[:, 0].long().unsqueeze(1).eq(train.items[:, 0].long()).int().argmax(dim=1)
        ],
    )
    assert train.take(index).rows is None
    assert train.examples == 576
