"""What Optuna does here: proposals by the tree-structured Parzen estimator, and importance.

Imported by name only, at the first use: Optuna takes a third of a second to load. Its studies live
in memory for one call and are built from our rows; its own storage is not used.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial
from pydantic import TypeAdapter

from backend.tuning.proposals import Params, Row, tidied
from contract.comparison.tuning import Choices, Search, Space, Value
from contract.tuning.draws import WHOLE

optuna.logging.set_verbosity(optuna.logging.ERROR)

MAX_PROPOSALS: Final = 20
"""Proposals until one fits together."""
_BEST: Final = 5
"""Trials that importance takes as the best ones at least."""
_BEST_SHARE: Final = 0.1
_SEARCH: Final[TypeAdapter[Search]] = TypeAdapter(Search)


def suggest(
    space: Search, rows: Sequence[Row], seed: int, fits: Callable[[Params], bool]
) -> Params | None:
    """Return the settings that TPE proposes next; None where none of its proposals fits together.

    Failed trials count with the worst value of the complete ones. Trials that are not over keep the
    proposal away from their settings.

    Args:
        space: of the arm.
        rows: its trials so far.
        seed: of this proposal alone.
        fits: whether settings can be trained with, all together.
    """
    kinds = _distributions(space)
    sampler = TPESampler(n_startup_trials=0, constant_liar=True, seed=seed)
    study = _study(kinds, rows, sampler)
    for _ in range(MAX_PROPOSALS):
        params = tidied(study.ask(kinds).params, space)
        if fits(params):
            return params
    return None


def importance(space: Search, rows: tuple[Row, ...]) -> dict[str, float] | None:
    """Return the share of each setting in what distinguishes the best trials; None where all of
    them are equally good.

    Args:
        space: of the arm.
        rows: its complete trials.
    """
    return _importance(_SEARCH.dump_json(space), rows)


@lru_cache(maxsize=256)
def _importance(space_json: bytes, rows: tuple[Row, ...]) -> dict[str, float] | None:
    """Compute it once for the same trials: pages ask for it again and again."""
    share = max(_BEST_SHARE, _BEST / len(rows))
    scores = sorted((row.score or 0.0 for row in rows), reverse=True)
    if scores[math.ceil(share * len(scores)) - 1] == scores[-1]:
        return None
    kinds = _distributions(_SEARCH.validate_json(space_json))
    study = _study(kinds, rows, RandomSampler(seed=0))
    evaluator = PedAnovaImportanceEvaluator(target_quantile=share)
    return get_param_importances(study, evaluator=evaluator, params=list(kinds))


def _study(kinds: dict[str, BaseDistribution], rows: Sequence[Row], sampler: BaseSampler) -> Study:
    study = optuna.create_study(sampler=sampler, direction="maximize")
    worst = min((row.score for row in rows if row.score is not None), default=0.0)
    inside = [row for row in rows if _is_inside(kinds, dict(row.params))]
    study.add_trials([_trial(kinds, row, worst) for row in inside])
    return study


def _trial(kinds: dict[str, BaseDistribution], row: Row, worst: float) -> FrozenTrial:
    params = dict(row.params)
    if not row.over:
        return create_trial(state=TrialState.RUNNING, params=params, distributions=kinds)
    value = worst if row.score is None else row.score
    return create_trial(value=value, params=params, distributions=kinds)


def _is_inside(kinds: dict[str, BaseDistribution], params: Params) -> bool:
    """Return whether settings lie in the space; those of the arm as it is written need not."""
    return all(path in params and _has(kind, params[path]) for path, kind in kinds.items())


def _has(kind: BaseDistribution, value: Value) -> bool:
    if isinstance(kind, CategoricalDistribution):
        return value in kind.choices
    assert isinstance(kind, FloatDistribution | IntDistribution)
    return isinstance(value, int | float) and kind.low <= value <= kind.high


def _distributions(space: Search) -> dict[str, BaseDistribution]:
    return {path: _distribution(path, one) for path, one in sorted(space.items())}


def _distribution(path: str, space: Space) -> BaseDistribution:
    if isinstance(space, Choices):
        return CategoricalDistribution(space.choices)
    if path in WHOLE:
        low, high = math.ceil(space.low), math.floor(space.high)
        return IntDistribution(low, high, log=space.log)
    return FloatDistribution(space.low, space.high, log=space.log)
