"""Metrics of the test split alone: verification, and how small embeddings can be made.

Verification accepts a pair of items as one class if their distance is at most a threshold. A false
accept is a pair of two classes that is accepted, a false reject one of one class that is not.
"""

from typing import Final

from contract.metrics.metric import SHARE, Metric

FAR_LIMITS: Final = (10, 100, 1000)
"""False accepts are held to one in that many pairs of two classes."""
KEPT_DIMENSIONS: Final = (8, 16, 32, 64, 128, 256, 512, 1024, 2048)
"""Dimensions that are kept, where embeddings have more."""
DIMENSION_ITEMS: Final = 2_000
"""Test items, at most, among which smaller embeddings are compared."""

VERIFICATION: Final = (
    Metric(
        "verification.roc_auc",
        "ROC-AUC",
        r"P(d^+ < d^-) + \tfrac12 P(d^+ = d^-)",
        "Probability that a pair of one class is nearer than a pair of two.",
        "higher",
        bounds=SHARE,
    ),
    Metric(
        "verification.average_precision",
        "Average precision of pairs",
        r"\sum_t (\mathrm{TAR}_t - \mathrm{TAR}_{t-1})\, P_t",
        "Mean precision over the pairs of one class when all pairs are ranked by distance.",
        "higher",
        bounds=SHARE,
    ),
    Metric(
        "verification.equal_error_rate",
        "Equal error rate",
        r"\mathrm{FAR}_t = \mathrm{FRR}_t",
        "Error at the threshold that accepts as large a share of the pairs of two classes as it "
        "rejects of one.",
        "lower",
        bounds=SHARE,
    ),
    *(
        Metric(
            f"verification.tar_at_far_1_in_{limit}",
            f"TAR at FAR 1 in {limit:,}",
            rf"\max\{{\mathrm{{TAR}}_t : \mathrm{{FAR}}_t \le 1/{limit}\}}",
            f"Share of the pairs of one class that are accepted where at most 1 in {limit:,} pairs "
            "of two classes is.",
            "higher",
            bounds=SHARE,
        )
        for limit in FAR_LIMITS
    ),
    Metric(
        "verification.threshold.balanced_error",
        "Error at the chosen threshold",
        r"\tfrac12(\mathrm{FAR}_{t^*} + \mathrm{FRR}_{t^*})",
        "Mean of false accepts and false rejects at the threshold that was best on the validation "
        "split.",
        "lower",
        bounds=SHARE,
    ),
    Metric(
        "verification.threshold.far",
        "False accepts at the chosen threshold",
        r"\mathrm{FAR}_{t^*}",
        "Share of the pairs of two classes that the threshold from the validation split accepts.",
        "lower",
        bounds=SHARE,
    ),
    Metric(
        "verification.threshold.frr",
        "False rejects at the chosen threshold",
        r"\mathrm{FRR}_{t^*}",
        "Share of the pairs of one class that the threshold from the validation split rejects.",
        "lower",
        bounds=SHARE,
    ),
    Metric(
        "verification.threshold.frr_spread",
        "Spread of false rejects over classes",
        r"\operatorname{sd}_c\, \mathrm{FRR}_{t^*, c}",
        "Standard deviation over classes of the false rejects at that threshold; 0 where one "
        "threshold serves all classes alike.",
        "lower",
        bounds=(0.0, 0.5),
    ),
)


def _retrieval(way: str, label: str, meaning: str) -> tuple[Metric, ...]:
    """Return the two measures of embeddings that were made smaller in one way."""
    return (
        Metric(
            f"dimension.{way}.recall_at_1",
            f"Recall@1, {label}",
            r"\frac{1}{Q}\sum_q [y_{\mathrm{nn}(q)} = y_q]",
            f"Recall@1 {meaning}.",
            "higher",
            bounds=SHARE,
        ),
        Metric(
            f"dimension.{way}.map_at_r",
            f"MAP@R, {label}",
            r"\frac{1}{Q}\sum_q \frac{1}{R_q}\sum_{i=1}^{R_q} P_q(i)\,\mathrm{rel}_q(i)",
            f"MAP@R {meaning}.",
            "higher",
            bounds=SHARE,
        ),
    )


DIMENSIONS: Final = (
    *_retrieval(
        "full",
        "all dimensions",
        f"of the embeddings as they are, among at most {DIMENSION_ITEMS:,} items, to compare "
        "smaller ones with",
    ),
    *(
        metric
        for kept in KEPT_DIMENSIONS
        for metric in (
            *_retrieval(
                f"truncated_{kept}",
                f"first {kept} dimensions",
                f"of the first {kept} dimensions alone, at length 1 again where embeddings are "
                "L2-normalised",
            ),
            *_retrieval(
                f"pca_{kept}",
                f"{kept} principal components",
                f"of the {kept} first principal components of the validation embeddings",
            ),
        )
    ),
    *_retrieval(
        "int8",
        "8-bit integers",
        "of embeddings rounded to 8-bit integers, each dimension in steps of 1/127 of the "
        "largest absolute value on the validation split",
    ),
)
