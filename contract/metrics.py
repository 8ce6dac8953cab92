"""Every metric key: what it is called, its unit, which way is better, its formula and its idea."""

from dataclasses import dataclass
from typing import Final, Literal

Better = Literal["higher", "lower"] | None


@dataclass(frozen=True)
class Metric:
    """One number the product measures, as the pages explain it."""

    key: str
    label: str
    formula: str
    """LaTeX."""
    meaning: str
    better: Better = None
    """None where neither way is better by itself."""
    unit: str = ""
    per_step: bool = False
    """Logged at every optimiser step; otherwise at epoch 0 and every evaluation."""


def _dynamics(key: str, label: str, formula: str, meaning: str, better: Better = None) -> Metric:
    return Metric(f"dynamics.{key}", label, formula, meaning, better, per_step=True)


_DYNAMICS: Final = (
    _dynamics(
        "loss",
        "Loss",
        r"\frac{1}{|V|}\sum_{t \in V} \ell_t",
        "Mean over all valid tuples of the batch, whatever reduction is trained. Each loss has its "
        "own scale: compare how it falls, not its value.",
    ),
    _dynamics(
        "loss_trained",
        "Trained loss",
        r"\mathcal{L}",
        "The value that is backpropagated, in the reduction the arm trains with.",
    ),
    _dynamics(
        "loss.positive",
        "Pull",
        r"\frac{1}{|V|}\sum_{P} s_{xy}",
        "The share of the loss that pulls positive pairs together.",
    ),
    _dynamics(
        "loss.negative",
        "Push",
        r"\frac{1}{|V|}\sum_{N} \max(0, m - d_{xy})^2",
        "The share of the loss that pushes negative pairs apart.",
    ),
    _dynamics(
        "loss.triplet",
        "Triplet hinge",
        r"\frac{1}{|V|}\sum \max(0, s_{ap} - s_{an} + m)",
        "The triplet loss's only part.",
    ),
    _dynamics(
        "active_ratio",
        "Active ratio",
        r"\frac{|\{t \in V : \ell_t > 0\}|}{|V|}",
        "Share of the valid tuples that still have a loss, and so a gradient.",
    ),
    _dynamics(
        "active_ratio.positive",
        "Active positives",
        r"\frac{|\{P : \ell > 0\}|}{|P|}",
        "Share of positive pairs with a loss. A positive pair pulls at any distance, so this "
        "stays near 1.",
    ),
    _dynamics(
        "active_ratio.negative",
        "Active negatives",
        r"\frac{|\{N : \ell > 0\}|}{|N|}",
        "Share of negative pairs that are still nearer than the margin.",
    ),
    _dynamics(
        "active_ratio.triplet",
        "Active triplets",
        r"\frac{|\{(a,p,n) : \ell > 0\}|}{|V|}",
        "Share of valid triplets that still violate the margin.",
    ),
    _dynamics(
        "active_ratio.anchors",
        "Active anchors",
        r"\frac{|\{a : \exists t \ni a,\ \ell_t > 0\}|}{|\{a : \exists t \ni a\}|}",
        "Share of anchors with at least one active tuple.",
    ),
    _dynamics(
        "active_tuples", "Active tuples", r"|\{t \in V : \ell_t > 0\}|", "The ratio's numerator."
    ),
    _dynamics("valid_tuples", "Valid tuples", r"|V|", "The ratio's denominator."),
    _dynamics(
        "gradient_norm",
        "Gradient norm",
        r"\lVert \nabla_\theta \mathcal{L} \rVert_2",
        "Global L2 norm over the encoder's parameters, before clipping. Depends on the reduction.",
    ),
    _dynamics(
        "gradient_norm.embedding",
        "Gradient norm at the embeddings",
        r"\lVert \nabla_E \mathcal{L} \rVert_2",
        "L2 norm of the gradient with respect to the batch's embeddings.",
    ),
    _dynamics(
        "gradient_norm.per_active",
        "Gradient norm per active tuple",
        r"\Bigl\lVert \nabla_\theta \frac{1}{|A|}\sum_{t \in A} \ell_t \Bigr\rVert_2",
        "How strong the active tuples' mean gradient is, whatever reduction is trained. "
        "Absent at a step where nothing is active.",
    ),
    _dynamics(
        "update_norm",
        "Update norm",
        r"\frac{\lVert \Delta\theta \rVert}{\lVert \theta \rVert}",
        "Relative size of the optimiser's real step, every tenth step.",
    ),
)

_GEOMETRY: Final = (
    Metric(
        "geometry.intra_class_variance",
        "Intra-class variance",
        r"\frac{1}{C}\sum_c \frac{1}{N_c}\sum_{i \in c} \lVert z_i - \mu_c \rVert^2",
        "How far the members of a class lie from their class mean. Low is compact; "
        "too low throws detail within the class away.",
    ),
    Metric(
        "geometry.inter_class_variance",
        "Inter-class variance",
        r"\frac{1}{C(C-1)}\sum_{c \ne c'} \lVert \mu_c - \mu_{c'} \rVert^2",
        "How far the class means lie apart.",
    ),
    Metric(
        "geometry.intra_class_variance.scale_free",
        "Intra-class variance, scale-free",
        r"\text{intra} \,/\, \frac{1}{N}\sum_i \lVert z_i \rVert^2",
        "Divided by the mean squared norm, so that stretching the space changes nothing.",
    ),
    Metric(
        "geometry.inter_class_variance.scale_free",
        "Inter-class variance, scale-free",
        r"\text{inter} \,/\, \frac{1}{N}\sum_i \lVert z_i \rVert^2",
        "Divided by the mean squared norm, so that stretching the space changes nothing.",
    ),
    Metric(
        "geometry.variance_ratio",
        "Intra / inter",
        r"\text{intra} \,/\, \text{inter}",
        "Spread within classes relative to the gaps between them.",
        "lower",
    ),
    Metric(
        "geometry.mean_norm",
        "Mean norm",
        r"\frac{1}{N}\sum_i \lVert z_i \rVert",
        "Mean length of the embeddings; 1 where they are L2-normalised.",
    ),
)

_QUALITY: Final = (
    *(
        Metric(
            f"classification.knn_accuracy_{k}",
            f"kNN accuracy, k = {k}",
            rf"\frac{{1}}{{Q}}\sum_q [\operatorname{{vote}}_{{{k}}}(q) = y_q]",
            f"Share of held-out items for whose class their {k} nearest training "
            f"item{'s vote' if k > 1 else ' votes'}.",
            "higher",
        )
        for k in (1, 5, 20)
    ),
    Metric(
        "retrieval.recall_at_1",
        "Recall@1",
        r"\frac{1}{Q}\sum_q [y_{\mathrm{nn}(q)} = y_q]",
        "Share of held-out queries whose nearest other held-out item is of their class.",
        "higher",
    ),
    Metric(
        "retrieval.map_at_r",
        "MAP@R",
        r"\frac{1}{Q}\sum_q \frac{1}{R_q}\sum_{i=1}^{R_q} P_q(i)\,\mathrm{rel}_q(i)",
        "Mean over queries of the precision at each hit among the R nearest, R being the number "
        "of others of the class (Musgrave et al. 2020).",
        "higher",
    ),
)

_RUN: Final = (
    Metric(
        "run.elapsed_s",
        "Elapsed time",
        "t",
        "Training time since the first step, without measuring.",
        unit="s",
        per_step=True,
    ),
)

TEST_PREFIX: Final = "test."
"""Put before a key for the test split's value, read once, at the best validation epoch."""

METRICS: Final[dict[str, Metric]] = {
    metric.key: metric
    for metric in (
        *_DYNAMICS,
        *_GEOMETRY,
        *_QUALITY,
        *(
            Metric(
                f"{TEST_PREFIX}{m.key}",
                f"{m.label} (test)",
                m.formula,
                f"{m.meaning} Test split, read once, at the best validation epoch.",
                m.better,
                m.unit,
            )
            for m in (*_GEOMETRY, *_QUALITY)
        ),
        *_RUN,
    )
}
"""All metric keys."""
