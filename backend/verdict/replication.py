"""What the runs of an arm are replicates of, for the statistics."""

from collections.abc import Iterable
from typing import Final

from backend.db.models import Run
from contract.comparison.spec import ComparisonSpec, replication
from contract.statistics import Replication

LARGEST_TEST_TO_TRAIN: Final = 1.0
"""Test items for each training item, assumed where the sizes of re-splits are not known."""


def replication_of(spec: ComparisonSpec, runs: Iterable[Run]) -> Replication:
    """Return what the runs are replicates of.

    Draws of new data are independent. Splits of one data set share items, and so do draws of the
    training items beside one test set: their dependence follows from the sizes of the splits.
    """
    if replication(spec) in {"seed", "independent_draws"}:
        return Replication(spec.replicate)
    sizes = [run.splits for run in runs if run.state == "succeeded" and run.splits]
    ratios = [own["test"] / own["train"] for own in sizes if own.get("train") and "test" in own]
    return Replication("split", max(ratios, default=LARGEST_TEST_TO_TRAIN))
