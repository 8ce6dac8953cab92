"""Metrics of the quality of embeddings: classification, retrieval, clustering, detail."""

from typing import Final

from contract.metrics.metric import Metric

RECALL_KS: Final = (1, 2, 4, 8)
KNN_KS: Final = (1, 5, 20)

QUALITY: Final = (
    *(
        Metric(
            f"classification.knn_accuracy_{k}",
            f"kNN accuracy, k = {k}",
            rf"\frac{{1}}{{Q}}\sum_q [\operatorname{{vote}}_{{{k}}}(q) = y_q]",
            f"Share of held-out items for whose class their {k} nearest training "
            f"item{'s vote' if k > 1 else ' votes'}.",
            "higher",
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
    ),
    *(
        Metric(
            f"retrieval.recall_at_{k}",
            f"Recall@{k}",
            rf"\frac{{1}}{{Q}}\sum_q [y_q \in y_{{{k}\text{{NN}}(q)}}]",
            "Share of held-out queries with an item of their class "
            + ("nearest to them." if k == 1 else f"among the {k} nearest."),
            "higher",
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
    ),
    Metric(
        "retrieval.map_at_r",
        "MAP@R",
        r"\frac{1}{Q}\sum_q \frac{1}{R_q}\sum_{i=1}^{R_q} P_q(i)\,\mathrm{rel}_q(i)",
        "Mean over queries of the precision at each hit among the R nearest, R being the number "
        "of others of the class (Musgrave et al. 2020).",
        "higher",
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
            ),
            *(
                Metric(
                    f"retrieval.{here}_to_{there}.recall_at_{k}",
                    f"{here.capitalize()} to {there}, Recall@{k}",
                    rf"\frac{{1}}{{Q}}\sum_q [y_q \in y_{{{k}\text{{NN}}(q)}}]",
                    f"Share of {here} queries with a {there} item of their class among the {k} "
                    "nearest.",
                    "higher",
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
        )
        for name, formula, words in (
            ("nmi", r"\frac{2\,I(Y; K)}{H(Y) + H(K)}", "Normalised mutual information"),
            (
                "ami",
                r"\frac{I - \mathbb{E}[I]}{\frac{1}{2}(H(Y) + H(K)) - \mathbb{E}[I]}",
                "Mutual information, adjusted so that chance gives 0,",
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
    ),
)
