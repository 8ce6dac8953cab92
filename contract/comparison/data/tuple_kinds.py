"""Data that come as tuples: pairs, triplets, pairs with a label and pairs with a score.

Their items are texts, or rows of an uploaded feature table that the tuples name by their ids. They
have no classes. Items that positive pairs link are a group, and no loss takes an item of the
anchor's group as a negative.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field

from contract.comparison.data.kinds import SPLIT_SEED, Seed, TeamData, worker_path
from contract.comparison.problems import Section
from contract.names import SHAPES, TupleShape

TupleSplit = Literal["groups", "given"]

FEATURE_TABLE: Final[Any] = Field(
    "",
    max_length=100,
    title="Feature table",
    description="Id of an uploaded feature table, where the tuples name its rows by their ids; "
    "empty where they are texts.",
)
TUPLE_SPLIT: Final[Any] = Field(
    "groups",
    title="Split by",
    description="Groups: items that tuples link stay together, 60 : 20 : 20 of the tuples. Given: "
    "as the table's column `split` says.",
)


class TupleTableData(TeamData):
    """A team's own tuples, of any shape."""

    kind: str
    file: str = worker_path("File", "a CSV, Parquet or JSON lines file")
    items: str = FEATURE_TABLE
    split: TupleSplit = TUPLE_SPLIT
    seed: Seed = SPLIT_SEED

    @property
    def path(self) -> str:
        """Path of the file."""
        return self.file


class PairsData(TupleTableData):
    """A table of pairs that belong together: anchor and positive."""

    kind: Literal["pairs"] = "pairs"


class TripletsData(TupleTableData):
    """A table of triplets: anchor, positive and negative."""

    kind: Literal["triplets"] = "triplets"


class LabelledPairsData(TupleTableData):
    """A table of pairs, each with a label that says whether they belong together."""

    kind: Literal["labelled_pairs"] = "labelled_pairs"


class ScoredPairsData(TupleTableData):
    """A table of pairs, each with a score that says how similar they are."""

    kind: Literal["scored_pairs"] = "scored_pairs"


class GeneratedTuplesData(Section):
    """Tuples of generated requests: two phrasings of one request belong together."""

    kind: Literal["generated_tuples"] = "generated_tuples"
    shape: TupleShape = Field(
        "pairs",
        title="Shape",
        description="Pairs; triplets, whose negative asks something else about the same thing; "
        "pairs labelled same or not; or pairs scored 1 for one request, 0.5 for one thing, 0 for "
        "others.",
    )
    per_request: int = Field(
        3,
        ge=1,
        le=20,
        title="Tuples a request",
        description="Of each of the 480 requests; they share their anchor.",
    )
    seed: Seed = Field(0, title="Data seed")


GENERATED_REQUESTS: Final = 480
"""Requests that generated tuples are made of."""
TupleData = TupleTableData | GeneratedTuplesData
"""All data that come as tuples."""


def shape_of(data: object) -> TupleShape | None:
    """Return the shape of data that come as tuples; None for data with class labels."""
    if isinstance(data, GeneratedTuplesData):
        return data.shape
    shapes = (PairsData, TripletsData, LabelledPairsData, ScoredPairsData)
    return data.kind if isinstance(data, shapes) else None


def stored_shape(data: Mapping[str, Any]) -> str | None:
    """Return the same of a data section as it is stored."""
    kind = str(data["kind"])
    if kind == "generated_tuples":
        return str(data["shape"])
    return kind if kind in SHAPES else None
