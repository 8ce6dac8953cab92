"""What is known of the classes of pytorch-metric-learning 2.9, and cannot be read off their code:
papers, which parameters are whole numbers, which losses are hinges."""

from collections.abc import Mapping
from typing import Any, Final

ABSTRACT: Final = {"BaseMetricLossFunction", "BaseLossWrapper", "GenericPairLoss"}
"""Classes that other losses derive from; none of them is one."""
_WRAPS: Final = "it wraps other losses, which a spec cannot name; take the loss itself"
_NO_LABELS: Final = "it takes no labels, so that it learns nothing of classes"
UNUSABLE: Final[Mapping[str, str]] = {
    "CrossBatchMemory": _WRAPS,
    "MultipleLosses": _WRAPS,
    "SelfSupervisedLoss": _WRAPS,
    "ManifoldLoss": _NO_LABELS,
    "VICRegLoss": _NO_LABELS,
}
"""Losses that cannot be used here, each with its reason."""
HIDDEN: Final = {
    *("reducer", "distance", "collect_stats", "weight_init_func", "mat_based_loss"),
    *("embedding_regularizer", "embedding_reg_weight", "weight_regularizer", "weight_reg_weight"),
    *("is_inverted", "allowed_pos_range", "allowed_neg_range"),
}
"""Parameters that are no numbers or belong to such: reducers, regularisers, initialisers."""
WHOLE: Final = {
    *("num_bins", "n_bins", "centers_per_class", "sub_centers", "pos_per_bin", "neg_per_bin"),
}
"""Parameters that are whole numbers; others may have a fraction, though their default has none."""
WHOLE_OF: Final = {("LargeMarginSoftmaxLoss", "margin"), ("SphereFaceLoss", "margin")}
_PER_ANCHOR: Final[Mapping[str, Any]] = {
    "anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}],
    "default": None,
    "title": "Triplets per anchor",
    "description": "Drawn at random; empty for all.",
}
_STRATEGIES: Final = ["hard", "semihard", "easy", "all"]
PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "TripletMarginLoss": {"triplets_per_anchor": _PER_ANCHOR},
    "MarginLoss": {"triplets_per_anchor": _PER_ANCHOR},
    "HistogramLoss": {
        "n_bins": {"type": "integer", "default": 100, "minimum": 2},
        "delta": None,
    },
    # The library has no defaults; those of the paper, arXiv 1903.03238.
    "RankedListLoss": {
        "margin": {"type": "number", "default": 0.4, "minimum": 0},
        "Tn": {"type": "number", "default": 10.0, "minimum": 0},
        "alpha": {"type": "number", "default": 1.2, "exclusiveMinimum": 0},
    },
    "PNPLoss": {
        "variant": {"type": "string", "enum": ["Ds", "Dq", "Iu", "Ib", "O"], "default": "O"}
    },
}
"""Parameters whose schema the signature does not give; None for one that stays as it is."""
MINERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "AngularMiner": {},
    "BatchEasyHardMiner": {
        "pos_strategy": {"type": "string", "enum": _STRATEGIES, "default": "easy"},
        "neg_strategy": {"type": "string", "enum": _STRATEGIES, "default": "semihard"},
    },
    "BatchHardMiner": {"pos_strategy": None, "neg_strategy": None},
    "DistanceWeightedMiner": {},
    "HDCMiner": {},
    "MultiSimilarityMiner": {},
    "PairMarginMiner": {},
    "TripletMarginMiner": {
        "type_of_triplets": {
            "type": "string",
            "enum": ["all", "hard", "semihard", "easy"],
            "default": "all",
        }
    },
    "UniformHistogramMiner": {},
}
"""Miners, with the schemas that their signatures do not give."""
_NORMALISE: Final[Mapping[str, Any]] = {
    "type": "boolean",
    "default": True,
    "title": "L2-normalise",
}
DISTANCES: Final[Mapping[str, Mapping[str, Any]]] = {
    "CosineSimilarity": {},
    "DotProductSimilarity": {"normalize_embeddings": _NORMALISE},
    "LpDistance": {
        "normalize_embeddings": _NORMALISE,
        "p": {"type": "number", "default": 2.0, "minimum": 1},
        "power": {"type": "number", "default": 1.0, "exclusiveMinimum": 0},
    },
    "SNRDistance": {},
}
HINGES: Final = {
    *("ContrastiveLoss", "TripletMarginLoss", "MarginLoss", "LiftedStructureLoss"),
    *("GeneralizedLiftedStructureLoss", "SignalToNoiseRatioContrastiveLoss", "RankedListLoss"),
    *("IntraPairVarianceLoss",),
}
"""Losses whose terms become exactly 0."""
PROXIES: Final = {"ProxyAnchorLoss"}
"""Losses whose terms are those of proxies."""
PAIR_KINDS: Final = {"pos_pair": "positive", "neg_pair": "negative"}


def _arxiv(paper: str, number: str) -> tuple[str, str]:
    return paper, f"https://arxiv.org/abs/{number}"


PAPERS: Final[Mapping[str, tuple[str, str]]] = {
    "AngularLoss": _arxiv("Wang et al. 2017, Angular Loss", "1708.01682"),
    "ArcFaceLoss": _arxiv("Deng et al. 2019, ArcFace", "1801.07698"),
    "CircleLoss": _arxiv("Sun et al. 2020, Circle Loss", "2002.10857"),
    "ContrastiveLoss": (
        "Hadsell, Chopra & LeCun 2006, Dimensionality Reduction by Learning an Invariant Mapping",
        "https://doi.org/10.1109/CVPR.2006.100",
    ),
    "CosFaceLoss": _arxiv("Wang et al. 2018, CosFace", "1801.09414"),
    "DynamicSoftMarginLoss": ("Zhang & Rusinkiewicz 2019, CDF-Based Dynamic Soft Margin", ""),
    "FastAPLoss": ("Cakir et al. 2019, Deep Metric Learning to Rank", ""),
    "GeneralizedLiftedStructureLoss": _arxiv(
        "Hermans, Beyer & Leibe 2017, In Defense of the Triplet Loss", "1703.07737"
    ),
    "HistogramLoss": _arxiv("Ustinova & Lempitsky 2016, Histogram Loss", "1611.00822"),
    "InstanceLoss": _arxiv("Zheng et al. 2020, Dual-Path Embeddings", "1711.05535"),
    "IntraPairVarianceLoss": ("Yu & Tao 2019, Tuplet Margin Loss", ""),
    "LargeMarginSoftmaxLoss": _arxiv("Liu et al. 2016, Large-Margin Softmax", "1612.02295"),
    "LiftedStructureLoss": _arxiv("Oh Song et al. 2016, Lifted Structure", "1511.06452"),
    "MarginLoss": _arxiv("Wu et al. 2017, Sampling Matters", "1706.07567"),
    "MultiSimilarityLoss": _arxiv("Wang et al. 2019, Multi-Similarity Loss", "1904.06627"),
    "NCALoss": ("Goldberger et al. 2004, Neighbourhood Components Analysis", ""),
    "NPairsLoss": (
        "Sohn 2016, Multi-class N-pair Loss",
        "https://papers.nips.cc/paper/6200",
    ),
    "NTXentLoss": _arxiv("van den Oord, Li & Vinyals 2018, CPC", "1807.03748"),
    "NormalizedSoftmaxLoss": _arxiv("Zhai & Wu 2019, Classification is Strong", "1811.12649"),
    "P2SGradLoss": _arxiv("Zhang et al. 2019, P2SGrad", "1905.02479"),
    "PNPLoss": _arxiv("Li et al. 2021, Rethinking the Optimization of AP", "2102.04640"),
    "ProxyAnchorLoss": _arxiv("Kim et al. 2020, Proxy Anchor Loss", "2003.13911"),
    "ProxyNCALoss": _arxiv("Movshovitz-Attias et al. 2017, Proxies", "1703.07464"),
    "RankedListLoss": _arxiv("Wang et al. 2019, Ranked List Loss", "1903.03238"),
    "SignalToNoiseRatioContrastiveLoss": ("Yuan et al. 2019, Signal-to-Noise Ratio", ""),
    "SmoothAPLoss": _arxiv("Brown et al. 2020, Smooth-AP", "2007.12163"),
    "SoftTripleLoss": _arxiv("Qian et al. 2019, SoftTriple Loss", "1909.05235"),
    "SphereFaceLoss": _arxiv("Liu et al. 2017, SphereFace", "1704.08063"),
    "SubCenterArcFaceLoss": ("Deng et al. 2020, Sub-center ArcFace", ""),
    "SupConLoss": _arxiv("Khosla et al. 2020, Supervised Contrastive Learning", "2004.11362"),
    "ThresholdConsistentMarginLoss": _arxiv(
        "Zhang et al. 2024, Threshold-Consistent Margin Loss", "2307.04047"
    ),
    "TripletMarginLoss": _arxiv("Schroff, Kalenichenko & Philbin 2015, FaceNet", "1503.03832"),
    "TupletMarginLoss": ("Yu & Tao 2019, Tuplet Margin Loss", ""),
}
