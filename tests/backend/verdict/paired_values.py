"""Hand-made values of two arms, paired by seed, and claims judged by them."""

from collections.abc import Mapping, Sequence

from backend.metrics.measurements import Observation, PairedValues, pair_by_seed
from backend.verdict.evidence import JudgedForm, judge_forms
from contract.catalogue.claims import Evidence
from contract.statistics import Replication

RECALL = "test.retrieval.recall_at_1"
MAP = "test.retrieval.map_at_r"
DECAY = "dynamics.loss_decay_epochs"
DETAIL = "test.detail.recall_at_1"
INTRA = "test.geometry.intra_class_variance.scale_free"
SEEDS = Replication("seed")

Value = float | str
"""A string is a bound that was not reached: ">50"."""
Values = tuple[Sequence[Value], Sequence[Value]]
"""Of the first arm and of the second, by seed."""

TEN = [0.001 * (seed % 5) for seed in range(10)]
MUCH_LESS: Values = ([0.3 + more for more in TEN], [0.5 - more for more in TEN])
MUCH_MORE: Values = (MUCH_LESS[1], MUCH_LESS[0])
ALIKE: Values = ([0.3 + more for more in TEN], [0.3 + more for more in reversed(TEN)])
NOISY: Values = ([0.3] * 10, [0.3 + 0.1 * (-1) ** seed for seed in range(10)])
NOTHING: Values = ([], [])


def paired(values: Values) -> PairedValues:
    def observed(one: Sequence[Value]) -> dict[int, Observation]:
        return {
            seed: Observation(float(v[1:]), censored=True) if isinstance(v, str) else Observation(v)
            for seed, v in enumerate(one)
        }

    return pair_by_seed(observed(values[0]), observed(values[1]))


def judge_one(
    values: Mapping[str, Values],
    *,
    replication: Replication = SEEDS,
    practical: Mapping[str, float] | None = None,
    not_trained: bool = False,
) -> JudgedForm:
    """Judge one claim that all these metrics are less in the first arm, as the only one."""
    form = [Evidence(metric, "less") for metric in values]
    pairs = {metric: paired(own) for metric, own in values.items()}
    [judged] = judge_forms(
        [form], pairs.__getitem__, practical or {}, replication, not_trained=not_trained
    )
    return judged
