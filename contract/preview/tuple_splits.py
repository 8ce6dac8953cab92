"""The sizes of the splits of data that come as tuples, before they are read."""

from collections.abc import Mapping, Sequence

import numpy as np

from contract.comparison.data import Data, GeneratedTuplesData
from contract.comparison.data.draws import TUPLE_SHARES, component_parts
from contract.comparison.data.facts import VALIDATION_PART
from contract.comparison.data.tuple_kinds import GENERATED_REQUESTS
from contract.comparison.tuning import Fold
from contract.preview.amounts import Amount
from contract.preview.splits import PartSize, SplitSizes


def tuple_split_sizes(
    data: Data,
    facts: Mapping[str, int],
    parts: Mapping[str, Sequence[int]] | None = None,
    fold: Fold | None = None,
) -> SplitSizes:
    """Return the numbers of tuples in the splits of a run; there are no classes.

    Args:
        data: of the spec.
        facts: of an upload `tuples`, `groups` of linked items, and `largest_group`; empty if it is
            not known.
        parts: tuples in each part of a split that the upload has.
        fold: of a trial's run; None for an ordinary run.
    """
    unknown = SplitSizes(PartSize(), PartSize(), None if fold else PartSize())
    if isinstance(data, GeneratedTuplesData):
        groups, largest = GENERATED_REQUESTS, data.per_request
        total = groups * largest
    elif not facts:
        return unknown
    else:
        groups, largest, total = facts["groups"], facts["largest_group"], facts["tuples"]
    if getattr(data, "split", "") == "given":
        if not parts:
            return unknown
        train = sum(parts["train"])
        held = sum(parts["validation"]) if "validation" in parts else train // VALIDATION_PART
        sizes = [train if "validation" in parts else train - held, held, sum(parts["test"])]
        amounts = [Amount.exactly(size) for size in sizes]
    elif groups * largest == total:  # groups of one size
        of_part = np.bincount(component_parts(np.full(groups, largest), data.seed), minlength=3)
        amounts = [Amount.exactly(int(count) * largest) for count in of_part]
    else:
        amounts = [
            Amount(max(0, int(share * total) - largest), int(share * total) + largest)
            for share in TUPLE_SHARES
        ]
    if fold is None:
        of_train, of_validation, of_test = map(PartSize, amounts)
        return SplitSizes(of_train, of_validation, of_test)
    least = amounts[0].least + amounts[1].least
    most = amounts[0].most + amounts[1].most
    few, many = least // fold.of, -(-most // fold.of)
    return SplitSizes(PartSize(Amount(least - many, most - few)), PartSize(Amount(few, many)), None)
