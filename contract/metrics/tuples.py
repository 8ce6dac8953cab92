"""Metrics of data that come as tuples: pairs, triplets, and pairs with a label or a score.

Queries are the first items of the positive pairs of a held-out split, the gallery all items in
second or third place. Relevant to a query are the gallery's items of its group: those that positive
pairs link to it.
"""

from typing import Final

from contract.metrics.metric import SHARE, Metric

TUPLE_KS: Final = (1, 5, 10)

TUPLES: Final = (
    *(
        Metric(
            f"pairs.recall_at_{k}",
            f"Recall@{k} of positives",
            rf"\frac{{1}}{{Q}}\sum_q [r_q \le {k}]",
            "Share of queries with one of their positives "
            + ("nearest to them." if k == 1 else f"among the {k} nearest."),
            "higher",
            bounds=SHARE,
        )
        for k in TUPLE_KS
    ),
    Metric(
        "pairs.mrr",
        "Mean reciprocal rank",
        r"\frac{1}{Q}\sum_q \frac{1}{r_q}",
        "Mean over queries of 1 over the rank of their first positive in the whole gallery.",
        "higher",
        bounds=SHARE,
    ),
    Metric(
        "pairs.ndcg_at_10",
        "nDCG@10",
        r"\frac{1}{Q}\sum_q \frac{\sum_{i=1}^{10} \mathrm{rel}_q(i) / \log_2(i + 1)}"
        r"{\sum_{i=1}^{\min(10, R_q)} 1 / \log_2(i + 1)}",
        "Discounted gain of the positives among the 10 nearest, over the largest possible "
        "(Järvelin & Kekäläinen 2002).",
        "higher",
        bounds=SHARE,
    ),
    Metric(
        "pairs.spearman",
        "Spearman correlation with the scores",
        r"\rho(\operatorname{rank}(\cos_{xy}), \operatorname{rank}(s_{xy}))",
        "Rank correlation between the cosines of the pairs and their scores; equal values share "
        "their mean rank.",
        "higher",
        bounds=(-1.0, 1.0),
    ),
)
