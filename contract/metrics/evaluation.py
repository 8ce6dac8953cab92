"""Metrics of an evaluation: geometry of the embedding space, and quality of the embeddings.

Quality is classification, retrieval, clustering and detail retention.
"""

from typing import Final

from contract.metrics.metric import SHARE, Metric

RECALL_KS: Final = (1, 2, 4, 8)
KNN_KS: Final = (1, 5, 20)

GEOMETRY: Final = (
    Metric(
        "geometry.intra_class_variance",
        "Intra-class variance",
        r"\frac{1}{C}\sum_c \frac{1}{N_c}\sum_{i \in c} \lVert z_i - \mu_c \rVert^2",
        "How far the members of a class lie from their class mean. Low is compact; "
        "too low throws detail within the class away.",
        bounds=(0, None),
        scale="ratio",
    ),
    Metric(
        "geometry.inter_class_variance",
        "Inter-class variance",
        r"\frac{1}{C(C-1)}\sum_{c \ne c'} \lVert \mu_c - \mu_{c'} \rVert^2",
        "How far the class means lie apart.",
        bounds=(0, None),
        scale="ratio",
    ),
    Metric(
        "geometry.intra_class_variance.scale_free",
        "Intra-class variance, scale-free",
        r"\text{intra} \,/\, \frac{1}{N}\sum_i \lVert z_i \rVert^2",
        "Divided by the mean squared norm, so that stretching the space changes nothing.",
        bounds=(0, None),
        scale="ratio",
    ),
    Metric(
        "geometry.inter_class_variance.scale_free",
        "Inter-class variance, scale-free",
        r"\text{inter} \,/\, \frac{1}{N}\sum_i \lVert z_i \rVert^2",
        "Divided by the mean squared norm, so that stretching the space changes nothing.",
        bounds=(0, None),
        scale="ratio",
    ),
    Metric(
        "geometry.variance_ratio",
        "Intra / inter",
        r"\text{intra} \,/\, \text{inter}",
        "Spread within classes relative to the gaps between them.",
        "lower",
        bounds=(0, None),
        scale="ratio",
    ),
    Metric(
        "geometry.mean_norm",
        "Mean norm",
        r"\frac{1}{N}\sum_i \lVert z_i \rVert",
        "Mean length of the embeddings; 1 where they are L2-normalised.",
        bounds=(0, None),
        scale="ratio",
    ),
    Metric(
        "geometry.mean_cosine",
        "Mean cosine",
        r"\frac{1}{N(N-1)}\sum_{i \ne j} \hat z_i \cdot \hat z_j",
        "Mean cosine of pairs of different items, of whatever class: 1 where all embeddings point "
        "the same way, near 0 where they fill the space.",
        bounds=(-1, 1),
    ),
    Metric(
        "geometry.alignment",
        "Alignment",
        r"\operatorname{mean}_{y_i = y_j} \lVert \hat z_i - \hat z_j \rVert^2",
        "Mean squared distance of positive pairs on the unit sphere (Wang & Isola 2020).",
        bounds=(0, 4),
    ),
    Metric(
        "geometry.uniformity",
        "Uniformity",
        r"\log \operatorname{mean}_{i \ne j} e^{-2 \lVert \hat z_i - \hat z_j \rVert^2}",
        "How evenly the embeddings fill the unit sphere; the lower, the more evenly "
        "(Wang & Isola 2020, t = 2).",
        bounds=(-8, 0),
    ),
    Metric(
        "geometry.effective_rank",
        "Effective rank",
        r"\exp\Bigl(-\sum_k p_k \log p_k\Bigr),\quad p_k = \sigma_k / \textstyle\sum \sigma",
        "How many directions the centred embeddings use: 1 on a line, D where all are used alike "
        "(Roy & Vetterli 2007).",
        bounds=(0, None),
    ),
    Metric(
        "geometry.spectral_decay",
        "Spectral decay",
        r"-\text{slope of } \log \sigma_k \text{ over } \log k",
        "How steeply the singular values of the centred embeddings fall; 0 where all are alike.",
        bounds=(0, None),
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
        bounds=SHARE,
    ),
)

QUALITY: Final = (
    *(
        Metric(
            f"classification.knn_accuracy_{k}",
            f"kNN accuracy, k = {k}",
            rf"\frac{{1}}{{Q}}\sum_q [\operatorname{{vote}}_{{{k}}}(q) = y_q]",
            f"Share of held-out items for whose class their {k} nearest training "
            f"item{'s vote' if k > 1 else ' votes'}.",
            "higher",
            bounds=SHARE,
        )
        for k in KNN_KS
    ),
    Metric(
        "classification.linear_probe_accuracy",
        "Linear probe accuracy",
        r"\frac{1}{Q}\sum_q [\arg\max_c\, w_c \cdot z_q + b_c = y_q]",
        "Share of held-out items that a logistic regression, fitted to the frozen training "
        "embeddings, gets right.",
        "higher",
        bounds=SHARE,
    ),
    *(
        Metric(
            f"retrieval.recall_at_{k}",
            f"Recall@{k}",
            rf"\frac{{1}}{{Q}}\sum_q [y_q \in y_{{{k}\text{{NN}}(q)}}]",
            "Share of held-out queries with an item of their class "
            + ("nearest to them." if k == 1 else f"among the {k} nearest."),
            "higher",
            bounds=SHARE,
        )
        for k in RECALL_KS
    ),
    Metric(
        "retrieval.r_precision",
        "R-precision",
        r"\frac{1}{Q}\sum_q \frac{1}{R_q}\sum_{i=1}^{R_q} \mathrm{rel}_q(i)",
        "Mean over queries of the share of their class among the R nearest, R being the number of "
        "others of the class.",
        "higher",
        bounds=SHARE,
    ),
    Metric(
        "retrieval.map_at_r",
        "MAP@R",
        r"\frac{1}{Q}\sum_q \frac{1}{R_q}\sum_{i=1}^{R_q} P_q(i)\,\mathrm{rel}_q(i)",
        "Mean over queries of the precision at each hit among the R nearest, R being the number "
        "of others of the class (Musgrave et al. 2020).",
        "higher",
        bounds=SHARE,
    ),
    *(
        metric
        for here, there in (("audio", "visual"), ("visual", "audio"))
        for metric in (
            Metric(
                f"retrieval.{here}_to_{there}.map",
                f"{here.capitalize()} to {there}, MAP",
                r"\frac{1}{Q}\sum_q \frac{1}{R_q}\sum_{i=1}^{M} P_q(i)\,\mathrm{rel}_q(i)",
                f"Mean over {here} queries of the average precision with which all {there} items "
                "are ranked.",
                "higher",
                bounds=SHARE,
            ),
            *(
                Metric(
                    f"retrieval.{here}_to_{there}.recall_at_{k}",
                    f"{here.capitalize()} to {there}, Recall@{k}",
                    rf"\frac{{1}}{{Q}}\sum_q [y_q \in y_{{{k}\text{{NN}}(q)}}]",
                    f"Share of {here} queries with a {there} item of their class among the {k} "
                    "nearest.",
                    "higher",
                    bounds=SHARE,
                )
                for k in RECALL_KS
            ),
        )
    ),
    *(
        Metric(
            f"clustering.{name}",
            name.upper(),
            formula,
            f"{words} of the classes and the clusters that k-means finds, with as many clusters "
            "as classes and a fixed seed.",
            "higher",
            bounds=bounds,
        )
        for name, formula, words, bounds in (
            ("nmi", r"\frac{2\,I(Y; K)}{H(Y) + H(K)}", "Normalised mutual information", SHARE),
            (
                "ami",
                r"\frac{I - \mathbb{E}[I]}{\frac{1}{2}(H(Y) + H(K)) - \mathbb{E}[I]}",
                "Mutual information, adjusted so that chance gives 0,",
                (-1.0, 1.0),
            ),
        )
    ),
    Metric(
        "detail.recall_at_1",
        "Detail retention",
        r"\frac{1}{Q}\sum_q [f_{\mathrm{nn}(q)} = f_q]",
        "Recall@1 by fine labels that no loss has seen: whether the nearest item shares what "
        "tells the members of a class apart.",
        "higher",
        bounds=SHARE,
    ),
    Metric(
        "retrieval.map_at_r.epochs_to_common",
        "Epochs to a common MAP@R",
        r"\min\{e : \text{MAP@R}_e \ge 0.95 \min(M_a, M_b)\}",
        "First evaluated epoch whose validation MAP@R reaches 95 % of the smaller of two arms' "
        "best values of the same seed. It has a value only where two arms are compared.",
        unit="epochs",
        bounds=(0, None),
        summary_only=True,
        grid=True,
    ),
)
