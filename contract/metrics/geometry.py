"""Metrics of the geometry of an embedding space."""

from typing import Final

from contract.metrics.metric import Metric

GEOMETRY: Final = (
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
    Metric(
        "geometry.alignment",
        "Alignment",
        r"\operatorname{mean}_{y_i = y_j} \lVert \hat z_i - \hat z_j \rVert^2",
        "Mean squared distance of positive pairs on the unit sphere (Wang & Isola 2020).",
    ),
    Metric(
        "geometry.uniformity",
        "Uniformity",
        r"\log \operatorname{mean}_{i \ne j} e^{-2 \lVert \hat z_i - \hat z_j \rVert^2}",
        "How evenly the embeddings fill the unit sphere; the lower, the more evenly "
        "(Wang & Isola 2020, t = 2).",
    ),
    Metric(
        "geometry.effective_rank",
        "Effective rank",
        r"\exp\Bigl(-\sum_k p_k \log p_k\Bigr),\quad p_k = \sigma_k / \textstyle\sum \sigma",
        "How many directions the centred embeddings use: 1 on a line, D where all are used alike "
        "(Roy & Vetterli 2007).",
    ),
    Metric(
        "geometry.spectral_decay",
        "Spectral decay",
        r"-\text{slope of } \log \sigma_k \text{ over } \log k",
        "How steeply the singular values of the centred embeddings fall; 0 where all are alike.",
    ),
    Metric(
        "geometry.hubness",
        "Hubness",
        r"\operatorname{skew}(N_{10})",
        "Skewness of how often an item is among the ten nearest of others: high where few items "
        "are everybody's neighbours (Radovanović et al. 2010).",
    ),
    Metric(
        "geometry.distance_overlap",
        "Distance overlap",
        r"\sum_b \min(p^+_b,\, p^-_b)",
        "Area that the histograms of positive and negative distances share: 0 where a threshold "
        "tells them apart, 1 where they are alike.",
        "lower",
    ),
)
