"""Generated texts: short requests, whose domains are the classes and whose intents divide them.

Each text is an opening, a way to ask of its intent about one of its domain's things, and a closing;
openings and closings are the same for all. What a text is about tells its domain, and its verb the
intent. A share of the texts also mention a thing of another domain.
"""

from itertools import product
from pathlib import Path

import numpy as np
import torch

from contract.comparison.data import GeneratedTextData
from worker.data.dataset import Pool, Texts
from worker.data.loaders.phrases import ASIDES, CLOSINGS, DOMAINS, OPENINGS
from worker.data.splits import split_by_item
from worker.reporting.progress import Progress


def load(spec: GeneratedTextData, folder: Path, progress: Progress) -> Pool:
    """Draw texts, no two of them the same; each intent is split 60 : 20 : 20.

    The fine label of a text is its intent, 0 to domains * intents - 1.
    """
    texts: list[str] = []
    fine_names: list[str] = []
    rng = np.random.default_rng([spec.seed, 0])
    domains = [*DOMAINS][: spec.domains]
    for domain in domains:
        others = [thing for other in domains if other != domain for thing in DOMAINS[other][0]]
        for intent in [*DOMAINS[domain][1]][: spec.intents]:
            possible = _texts_of_intent(domain, intent)
            drawn = rng.choice(len(possible), spec.per_intent, replace=False)
            asides = rng.permutation(spec.per_intent) < round(spec.asides * spec.per_intent)
            texts += [
                f"{possible[place]}, {rng.choice(ASIDES).format(rng.choice(others))}"
                if aside
                else possible[place]
                for place, aside in zip(drawn, asides, strict=True)
            ]
            fine_names.append(f"{domain}: {intent}")
    fine = np.repeat(np.arange(len(fine_names)), spec.per_intent)
    return Pool(
        Texts(tuple(texts)),
        torch.from_numpy(fine // spec.intents).to(torch.int64),
        split_by_item(fine, seed=spec.seed),
        fine=torch.from_numpy(fine).to(torch.int64),
        class_names=tuple(domains),
        fine_names=tuple(fine_names),
    )


def _texts_of_intent(domain: str, intent: str) -> list[str]:
    """Return all texts of an intent, in one order."""
    things, intents = DOMAINS[domain]
    ways = [way.format(thing) for way, thing in product(intents[intent], things)]
    return [
        " ".join(filter(None, (opening, way, closing)))
        for opening, way, closing in product(OPENINGS, ways, CLOSINGS)
    ]
