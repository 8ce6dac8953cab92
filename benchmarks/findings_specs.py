"""The comparisons of docs/FINDINGS.md: what each is about, and their specs."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from benchmarks.findings_data import Case, spec_of
from contract.catalogue.presets.preset import N_PAIR_SCALE

Part = Literal["one margin", "margins", "balance", "splits", "equal budget"]
PARTS: Final[tuple[Part, ...]] = ("one margin", "margins", "balance", "splits", "equal budget")
"""In the order in which they are run."""
SEEDS: Final = 10
MARGINS: Final = (0.1, 0.2, 0.5, 1.0, 1.4)
CONTRASTIVE, TRIPLET = "contrastive", "triplet"
LIBRARY: Final = ("MultiSimilarity", "Circle", "ProxyAnchor")
"""Losses of pytorch-metric-learning."""
OF_ONE_MODALITY: Final = ("ProxyAnchor",)
"""Those of them that cannot compare two modalities."""

Loss = Mapping[str, Any]
_BALANCED: Final[Loss] = {"kind": "contrastive", "reduction": "balanced"}
_LOSSES: Final[Mapping[str, Loss]] = {
    CONTRASTIVE: _BALANCED,
    TRIPLET: {"kind": "triplet"},
    "N-pair": {"kind": "n_pair", "scale": N_PAIR_SCALE},
    "InfoNCE": {"kind": "info_nce"},
    "SupCon": {"kind": "sup_con"},
    "ArcFace": {"kind": "arcface"},
    "centre contrastive": {"kind": "center_contrastive"},
    **{name: {"kind": "plugin", "name": f"pml.{name}Loss"} for name in LIBRARY},
}
"""Ours at margin 1 and their defaults, the library's at its defaults."""
PROTOCOLS: Final[Mapping[str, tuple[str, str]]] = {
    "as the paper samples": ("contrastive, sampled", "triplet, sampled"),
    "all tuples, balanced": ("contrastive, balanced", "triplet, all"),
    "all tuples alike": ("contrastive, all alike", "triplet, all"),
}
"""Protocol -> the arms in the places of the contrastive and the triplet loss."""
_OF_PROTOCOLS: Final[Mapping[str, Loss]] = {
    "contrastive, sampled": {"kind": "contrastive", "selection": "sampled"},
    "contrastive, balanced": _BALANCED,
    "contrastive, all alike": {"kind": "contrastive"},
    "triplet, sampled": {"kind": "triplet", "selection": "sampled"},
    "triplet, all": {"kind": "triplet"},
}


def margin_arms(margin: float) -> tuple[str, str]:
    """Return the names of the two arms at a margin."""
    return f"contrastive {margin:g}", f"triplet {margin:g}"


def comparison_spec(name: str, case: Case, data: Mapping[str, Any], part: Part) -> dict[str, Any]:
    """Return the spec of one comparison.

    Args:
        name: of the case.
        case: the data set.
        data: its data section.
        part: what the comparison is about.
    """
    spec = {**spec_of(case, data), "name": f"findings: {name}, {part}", "seeds": [*range(SEEDS)]}
    losses = _LOSSES
    if case.visual_encoder:
        losses = {arm: loss for arm, loss in losses.items() if arm not in OF_ONE_MODALITY}
    if part == "margins":
        losses = {
            arm: {**_LOSSES[kind], "margin": margin}
            for margin in MARGINS
            for arm, kind in zip(margin_arms(margin), (CONTRASTIVE, TRIPLET), strict=True)
        }
    elif part == "balance":
        losses = _OF_PROTOCOLS
    elif part == "splits":
        losses = {kind: _LOSSES[kind] for kind in (CONTRASTIVE, TRIPLET)}
        spec["replicate"] = "split"
    elif part == "equal budget":
        if not case.all_tuned:
            losses = {kind: _LOSSES[kind] for kind in (CONTRASTIVE, TRIPLET)}
        spec["tuning"] = {"trials": case.trials}
    spec["arms"] = [{"name": arm, "loss": dict(loss)} for arm, loss in losses.items()]
    return spec
