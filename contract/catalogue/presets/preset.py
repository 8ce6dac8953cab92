"""What a preset is, and the arms that presets have in common."""

from dataclasses import dataclass, field
from typing import Any, Final

from contract.catalogue.claims import Reported


@dataclass(frozen=True)
class Preset:
    """A comparison to start from."""

    id: str
    label: str
    idea: str
    paper: str = ""
    url: str = ""
    spec: dict[str, Any] | None = None
    """None where this version cannot follow the protocol."""
    needs: str = ""
    """What is missing for the protocol, in words: with a spec, data that have to be uploaded first
    and then chosen; without one, a part of the product."""
    reported: tuple[Reported, ...] = field(default_factory=tuple)
    """Figures that the paper reports."""
    group: str = ""
    """Heading under which the form lists it."""
    short: str = ""
    """Label below that heading."""


TEN_SEEDS: Final = tuple(range(10))
"""With ten seeds p after Holm's correction can fall below 0.05 for all nine claims (it takes nine
seeds); with three there is a verdict at all."""


def arms(*kinds: str, **settings: Any) -> list[dict[str, Any]]:
    """Return arms that differ only in their loss."""
    return [{"name": kind, "loss": {"kind": kind, **settings}} for kind in kinds]


def pair(**settings: Any) -> list[dict[str, Any]]:
    """Return arms of the two main losses with the margin of the papers; by default they train on
    the mean over all tuples."""
    shared = {"margin": 1.0, "selection": "all", "reduction": "mean", **settings}
    return arms("contrastive", "triplet", **shared)


def sampled_pair() -> list[dict[str, Any]]:
    """Return the two arms with the sampling of Zeng 2025: as many negative pairs as positive ones,
    and one random triplet for each anchor."""
    return pair(selection="sampled")


def balanced_pair() -> list[dict[str, Any]]:
    """Return the two arms on all tuples, with pull and push of the same weight: a triplet has one
    of each, and the contrastive loss the mean over positive and the mean over negative pairs."""
    contrastive, triplet = pair()
    balanced = {**contrastive["loss"], "reduction": "balanced", "pull_weight": 0.5}
    return [{**contrastive, "loss": balanced}, triplet]


N_PAIR_SCALE: Final = 10.0
"""Takes the floor of the N-pair loss on unit vectors away: 0.0001 for ten classes, 1.377 without
it. As a temperature of 0.1, which the other softmax losses have."""


def seven_losses() -> list[dict[str, Any]]:
    """Return an arm for each loss."""
    return [
        *pair(),
        *arms("n_pair", scale=N_PAIR_SCALE),
        *arms("info_nce", "arcface", "sup_con", "center_contrastive"),
    ]


def ten_seeds() -> list[int]:
    """Return the seeds that every preset but the demo has."""
    return list(TEN_SEEDS)
