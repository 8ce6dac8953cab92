"""Generated tuples of short requests, made of the phrases of the generated texts.

A request is an intent about a thing, and there are two ways to say each. The anchor says it in one
way and a positive in the other, each with an opening and a closing of its own. A negative is
another intent about the same thing. All tuples of a request share its anchor, and so are a group.
"""

from collections.abc import Iterator
from itertools import count, product
from pathlib import Path
from typing import Final

import numpy as np
import torch

from contract.comparison.data import GeneratedTuplesData
from worker.data.dataset import Pool, Texts
from worker.data.loaders.phrases import CLOSINGS, DOMAINS, OPENINGS
from worker.data.sources.tuple_pools import tuple_pool
from worker.data.tuples import TupleRows
from worker.reporting.progress import Progress

RELATED: Final = 0.5
"""Score of two intents about one thing."""
_STREAM: Final = 9
"""Makes these random numbers differ from other uses of the data's seed, such as the split."""


def load(spec: GeneratedTuplesData, folder: Path, progress: Progress) -> Pool:
    """Draw tuples, no text twice in one role of a request, and split them by requests."""
    rng = np.random.default_rng([spec.seed, _STREAM])
    texts: list[str] = []
    places: list[list[int]] = []
    scores: list[float] = []
    turn = count()
    for domain, (things, intents) in DOMAINS.items():
        for intent, thing in product(intents, things):
            said = _Phrasings(domain, thing, rng)
            anchor = len(texts)
            texts.append(said.next(intent, 0))
            for _ in range(spec.per_request):
                other = said.other_than(intent)
                match spec.shape:
                    case "pairs":
                        added, score = [said.next(intent, 1)], 1.0
                    case "triplets":
                        added, score = [said.next(intent, 1), said.next(other, 1)], 1.0
                    case "labelled_pairs":
                        same = next(turn) % 2 == 0
                        added, score = [said.next(intent if same else other, 1)], float(same)
                    case "scored_pairs":
                        score = (1.0, RELATED, 0.0)[next(turn) % 3]
                        added = [said.scored(score, intent, other)]
                places.append([anchor, *range(len(texts), len(texts) + len(added))])
                scores.append(score)
                texts += added
    given = torch.tensor(scores, dtype=torch.float64)
    rows = TupleRows(
        spec.shape,
        torch.tensor(places),
        same=given == 1 if spec.shape == "labelled_pairs" else None,
        scores=given if spec.shape == "scored_pairs" else None,
    )
    return tuple_pool(Texts(tuple(texts)), texts, rows, seed=spec.seed)


class _Phrasings:
    """Draws the texts about one thing, each once."""

    def __init__(self, domain: str, thing: str, rng: np.random.Generator) -> None:
        self._domain, self._thing, self._rng = domain, thing, rng
        self._drawn: dict[tuple[str, int], Iterator[str]] = {}

    def next(self, intent: str, way: int) -> str:
        """Return another text of an intent, said in one of its ways."""
        if (intent, way) not in self._drawn:
            said = DOMAINS[self._domain][1][intent][way].format(self._thing)
            around = [*product(OPENINGS, CLOSINGS)]
            order = self._rng.permutation(len(around))
            self._drawn[intent, way] = (
                " ".join(filter(None, (around[at][0], said, around[at][1]))) for at in order
            )
        return next(self._drawn[intent, way])

    def other_than(self, intent: str) -> str:
        """Return another intent of the domain."""
        return str(self._rng.choice([one for one in DOMAINS[self._domain][1] if one != intent]))

    def scored(self, score: float, intent: str, other: str) -> str:
        """Return a text that has this score beside one of the intent about the thing."""
        if score == 0:
            domain = str(self._rng.choice([one for one in DOMAINS if one != self._domain]))
            things, intents = DOMAINS[domain]
            elsewhere = _Phrasings(domain, str(self._rng.choice(things)), self._rng)
            return elsewhere.next(str(self._rng.choice([*intents])), 1)
        return self.next(intent if score == 1 else other, 1)
