"""Answers of `GET /comparisons/{id}/verdict` as the API gives them, made up."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

NO_FIGURES: Mapping[str, None] = dict.fromkeys(
    (
        *("mean_a", "mean_b", "mean_difference", "interval", "simultaneous", "bounds"),
        *("level_side", "p_value", "p_holm", "effect_size"),
        *("ratio", "ratio_interval", "ratio_simultaneous", "ratio_bounds"),
    )
)


def evidence(**changes: Any) -> Json:
    """Return one metric of a claim, by default Recall@1 in favour of b over ten seeds."""
    row = {
        **NO_FIGURES,
        "metric": "test.retrieval.recall_at_1",
        "label": "Recall@1 (test)",
        "part": "best epoch",
        "robust": True,
        "expected": "less",
        "mean_a": 0.9,
        "mean_b": 0.95,
        "mean_difference": -0.05,
        "interval": [-0.07, -0.03],
        "simultaneous": [-0.08, -0.02],
        "bounds": [-0.01, 0.01],
        "p_value": 0.002,
        "p_holm": 0.018,
        "effect_size": -2.0,
        "n": 10,
        "censored": 0,
        "differences": [],
        "verdict": "supported",
    }
    return {**row, **changes}


def not_measured(**changes: Any) -> Json:
    """Return a metric without a value."""
    return evidence(**{**NO_FIGURES, "n": 0, "verdict": "not_measured", **changes})


def claim(number: int, *rows: Json, **changes: Any) -> Json:
    """Return a claim that rests on these robust rows."""
    first = rows[0]
    figures = {key: first[key] for key in (*NO_FIGURES, "metric", "n", "verdict") if key in first}
    base = {
        **figures,
        "id": number,
        "text": f"claim {number} of <i>b</i>",
        "arms": {"a": "a <b>", "b": "other"},
        "reason": "0.9 & 0.95.",
        "reported": [],
        "evidence": list(rows),
        "reported_evidence": [],
        "as_reported": {"word": "not_measured", "metrics": []},
        "disagreement": "",
        "parts": {"judged": len(rows), "of": len(rows)},
        "true_by_construction": "",
        "related": "",
    }
    return {**base, **changes}


def arm_state(said: str, **changes: Any) -> Json:
    """Return a state of an arm that was not trained."""
    state = {"arm": "a", "state": "collapsed", "runs": 7, "of": 10, "not_trained": True}
    return {**state, "said": said, **changes}


def verdict(*claims: Json, **changes: Any) -> Json:
    """Return a verdict on these claims."""
    base = {
        "summary": "One & only.",
        "advice": "Use <b> for retrieval.",
        "arms": {"a": "a <b>", "b": "other"},
        "seeds": 10,
        "smallest_p": 0.00195,
        "tuned": None,
        "caveats": ["Margins were <given>, not tuned."],
        "claims": list(claims),
        "rule": "Supported: the interval & Holm's p agree.",
        "family": 9,
        "replicates": {"kind": "seed", "noun": "seed", "n": 10, "said": "10 seeds on one split"},
        "arm_states": [],
        "to_halve": {"replicates": 30, "floor": ""},
        "claims_version": 2,
    }
    return {**base, **changes}
