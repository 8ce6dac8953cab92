"""Which families of measures an evaluation takes: those that cost more than an epoch of a small
training are not taken at every one."""

from typing import Final, Literal

from contract.comparison.spec import ComparisonSpec

Family = Literal[
    "geometry",
    "all_pairs",
    "retrieval",
    "classification",
    "clustering",
    "detail",
    "cross_modal",
    "pairs",
]
"""all_pairs: the measures of the geometry that compare all pairs of items; pairs: those of data
that come as tuples."""

ALL: Final[frozenset[Family]] = frozenset(
    {
        "geometry",
        "all_pairs",
        "retrieval",
        "classification",
        "clustering",
        "detail",
        "cross_modal",
        "pairs",
    }
)
"""Taken of the test split, and of the validation split at the first evaluation, at the last and at
every fifth between them."""
CHEAP: Final[frozenset[Family]] = frozenset(
    {"geometry", "retrieval", "detail", "cross_modal", "pairs"}
)
"""Taken at every evaluation. Classification embeds the training items too, clustering runs k-means
three times: on the bundled digits each takes three times as long as all of these together."""
ALL_EVERY: Final = 5
"""Evaluations from one with all families to the next."""
_OF_ALL_PAIRS: Final = (
    "geometry.uniformity",
    "geometry.hubness",
    "geometry.distance_overlap",
)
_BETWEEN: Final = ("retrieval.audio_to_visual.", "retrieval.visual_to_audio.")


def families_at(spec: ComparisonSpec, epoch: int, epochs: int) -> frozenset[Family]:
    """Return the families that the evaluation after an epoch takes: of a trial those that measure
    its objective, always.

    Args:
        spec: that the run is trained by.
        epoch: 0 for the untrained network.
        epochs: of the training.
    """
    if spec.trial is not None:
        return families_of(spec.trial.objective)
    whole = epoch == epochs or epoch % (ALL_EVERY * spec.measure.evaluate_every) == 0
    return ALL if whole else CHEAP


def families_of(objective: str) -> frozenset[Family]:
    """Return the families that measure the objective of a search.

    Args:
        objective: key of a metric of the validation split.
    """
    if objective.startswith(_BETWEEN):
        return frozenset({"cross_modal"})
    if objective.removeprefix("audio.").removeprefix("visual.") in _OF_ALL_PAIRS:
        return frozenset({"geometry", "all_pairs"})
    if objective.startswith(("audio.", "visual.")):
        return frozenset({"geometry"})
    [family] = [one for one in ALL if objective.startswith(f"{one}.")]
    return frozenset({family})
