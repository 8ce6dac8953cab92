"""Statistics over replicates: intervals, paired differences, and decisions that hold together."""

from contract.statistics.arms import ArmMean, ArmPair, ArmsCompared, told_apart
from contract.statistics.claims import (
    JudgedClaim,
    JudgedSample,
    Replication,
    Sample,
    Side,
    Word,
)
from contract.statistics.decisions import common_word, judge
from contract.statistics.intervals import (
    ALPHA,
    FEWEST,
    Limits,
    bounded_interval,
    deviation,
    interval,
    limits_of_difference,
    replicates_to_halve,
    t_test_p,
)
from contract.statistics.p_values import (
    ENUMERATED_SEEDS,
    RANDOM_FLIPS,
    holm,
    sign_test_p,
    smallest_p,
)
from contract.statistics.paired import PairedDifference, compare
from contract.statistics.samples import SampleError, is_constant

__all__ = [
    "ALPHA",
    "ENUMERATED_SEEDS",
    "FEWEST",
    "RANDOM_FLIPS",
    "ArmMean",
    "ArmPair",
    "ArmsCompared",
    "JudgedClaim",
    "JudgedSample",
    "Limits",
    "PairedDifference",
    "Replication",
    "Sample",
    "SampleError",
    "Side",
    "Word",
    "bounded_interval",
    "common_word",
    "compare",
    "deviation",
    "holm",
    "interval",
    "is_constant",
    "judge",
    "limits_of_difference",
    "replicates_to_halve",
    "sign_test_p",
    "smallest_p",
    "t_test_p",
    "told_apart",
]
