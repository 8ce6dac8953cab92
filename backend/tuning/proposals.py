"""Settings of trials: drawn at random, or proposed from the trials before.

Both are pure: the same arguments always give the same settings, so a restarted API proposes what
the one before it would have proposed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Final, Protocol, cast
from zlib import crc32

import numpy as np

from contract.comparison.tuning import Range, Sampler, Search, Value
from contract.tuning.draws import settled, value_of

Params = dict[str, Value]
"""Path of a setting -> its value."""

LEARNING_FROM: Final = 8
"""With fewer trials that are over, TPE draws as the random sampler does."""
MAX_DRAWS: Final = 200
"""Draws of one trial until its settings fit together."""
MIN_FOR_IMPORTANCE: Final = 10
"""Complete trials."""
_DIGITS: Final = 6
"""Significant digits of a drawn number, so that it can be read and copied."""


@dataclass(frozen=True)
class Row:
    """A trial, as the proposals after it see it."""

    params: tuple[tuple[str, Value], ...]
    """Path -> value of every setting of the space, also of the arm as it is written."""
    over: bool
    """Whether it is complete or failed."""
    score: float | None = None
    """Its value, with the sign that makes larger ones better; None unless it is complete."""


class _Model(Protocol):
    """What backend.tuning.tpe has."""

    def suggest(
        self, space: Search, rows: Sequence[Row], seed: int, fits: Callable[[Params], bool]
    ) -> Params | None: ...

    def importance(self, space: Search, rows: tuple[Row, ...]) -> dict[str, float] | None: ...


def propose(
    space: Search,
    rows: Sequence[Row],
    number: int,
    seed: int,
    sampler: Sampler,
    *,
    fits: Callable[[Params], bool] = lambda _: True,
) -> Params | None:
    """Return the settings of a trial of an arm; None where no draw fits together.

    Random draws depend on `space`, `number` and `seed` alone, and the draw of one setting on its
    own path and space: arms that share a setting try the same values of it.

    Args:
        space: of the arm.
        rows: its trials so far, in the order of their numbers.
        number: of the trial, from 0.
        seed: of the tuning.
        sampler: of the tuning.
        fits: whether settings can be trained with, all together.
    """
    if sampler == "tpe" and sum(row.over for row in rows) >= LEARNING_FROM:
        found = _model().suggest(space, rows, _seed_of(seed, number), fits)
        if found is not None:
            return found
    for attempt in range(MAX_DRAWS):
        drawn = {
            path: value_of(path, one, _share(seed, number, attempt, path))
            for path, one in space.items()
        }
        params = tidied(drawn, space)
        if fits(params):
            return params
    return None


def importance(space: Search, rows: Sequence[Row]) -> dict[str, float] | None:
    """Return which share of the differences between trials each setting accounts for, by path.

    By PED-ANOVA (Watanabe, Bansal, Hutter 2023): how much the best tenth of the trials, or the best
    five, are distributed otherwise than all. The shares add up to 1.

    Returns:
        None where fewer than MIN_FOR_IMPORTANCE trials are complete, or their values are too alike.
    """
    complete = tuple(row for row in rows if row.score is not None)
    if len(complete) < MIN_FOR_IMPORTANCE or not space:
        return None
    return _model().importance(space, complete)


def tidied(drawn: Mapping[str, Value], space: Search) -> Params:
    """Return drawn settings that fit together, their numbers rounded to a few digits."""
    return {path: _rounded(value, space[path]) for path, value in settled(drawn, space).items()}


def _rounded(value: Value, space: object) -> Value:
    if not isinstance(value, float) or not isinstance(space, Range):
        return value
    return min(max(float(f"{value:.{_DIGITS}g}"), space.low), space.high)


def _share(seed: int, number: int, attempt: int, path: str) -> float:
    """Return a number from 0, below 1."""
    words = (seed, number, attempt, crc32(path.encode()))
    return float(np.random.default_rng(words).random())


def _seed_of(seed: int, number: int) -> int:
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0])


def _model() -> _Model:
    """Return the module that learns from trials; its library is loaded at the first use."""
    return cast(_Model, import_module("backend.tuning.tpe"))
