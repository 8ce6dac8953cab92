"""Tables of Markdown from a verdict and a summary, as the API gives them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

Json = Mapping[str, Any]

SHOWN: Final = (
    "test.geometry.intra_class_variance",
    "test.geometry.inter_class_variance",
    "test.geometry.effective_rank",
    "test.classification.knn_accuracy_5",
    "test.classification.linear_probe_accuracy",
    "test.retrieval.recall_at_1",
    "test.retrieval.map_at_r",
    "test.last.retrieval.map_at_r",
    *(
        f"test.retrieval.{way}.{name}"
        for way in ("audio_to_visual", "visual_to_audio")
        for name in ("map", "recall_at_1")
    ),
    "test.clustering.ami",
    "test.detail.recall_at_1",
    "test.last.detail.recall_at_1",
    "dynamics.pull_share.mean",
    "dynamics.active_ratio.early",
    "dynamics.active_ratio.pushing.early",
    "dynamics.gradient_norm.per_active.mean",
    "dynamics.update_norm.mean",
    "dynamics.update_norm.late_share",
    "dynamics.loss_decay_epochs",
    "dynamics.empty_steps",
)
"""Metrics of the table of results."""
REFERENCES: Final = {"raw_backbone": "raw backbone", "chance": "chance"}
"""Reference values beside the results, by their names in the API."""


def words_table(verdicts: Mapping[str, Json]) -> list[str]:
    """Return the word on each claim in each of several verdicts, with that on what is reported
    where it differs."""
    lines = [f"| claim | {' | '.join(verdicts)} |", "|--|" + "--|" * len(verdicts)]
    first, *_ = verdicts.values()
    for place, claim in enumerate(first["claims"]):
        words = [_word(verdict["claims"][place]) for verdict in verdicts.values()]
        lines.append(f"| {claim['id']}. {claim['text']} | {' | '.join(words)} |")
    return lines


def claims_table(verdict: Json) -> list[str]:
    """Return all evidence of a verdict."""
    a, b = verdict["arms"]["a"], verdict["arms"]["b"]
    lines = [
        f"| claim | word | metric | {a} | {b} | difference, simultaneous interval | p (Holm) "
        "| of this metric |",
        "|--|--|--|--|--|--|--|--|",
    ]
    for claim in verdict["claims"]:
        rows = claim["evidence"]
        heads = [(f"{claim['id']}. {claim['text']}", f"**{said(claim['verdict'])}**")]
        heads += [("", "")] * (len(rows) - 1)
        lines += [
            f"| {head} | {word} | `{row['metric']}` | {figure(row['mean_a'])} "
            f"| {figure(row['mean_b'])} | {_difference(row)} | {figure(row['p_holm'])} "
            f"| {said(row['verdict'])} |"
            for (head, word), row in zip(heads, rows, strict=True)
        ]
    return lines


def results_table(summary: Json) -> list[str]:
    """Return mean and standard deviation of every arm."""
    rows = {row["key"]: row for row in summary["metrics"]}
    keys = [key for key in SHOWN if key in rows]
    arms = [arm["arm"] for arm in next(iter(rows.values()))["arms"]]
    shown = [name for name in REFERENCES if any(rows[key][name] is not None for key in keys)]
    heads = ["metric, mean ± sd", *arms, *(REFERENCES[name] for name in shown)]
    lines = [f"| {' | '.join(heads)} |", "|--|" + "--|" * (len(heads) - 1)]
    for key in keys:
        cells = [_arm(arm) for arm in rows[key]["arms"]]
        cells += [figure(rows[key][name]) for name in shown]
        lines.append(f"| `{key}` | {' | '.join(cells)} |")
    return lines


def figure(value: float | None) -> str:
    """Return three significant figures; nothing for no value."""
    return "" if value is None or not math.isfinite(value) else f"{value:.3g}"


def said(word: str) -> str:
    """Return a verdict's word as people write it."""
    return {"leaning_for": "leaning towards", "leaning_against": "leaning against"}.get(
        word, word.replace("_", " ")
    )


def _word(claim: Json) -> str:
    reported = claim["as_reported"]["word"]
    extra = "" if reported == claim["verdict"] else f" (as reported: {said(reported)})"
    return f"{said(claim['verdict'])}{extra}"


def _arm(arm: Json) -> str:
    if arm["censored"]:
        bound = max(value["value"] for value in arm["values"] if value["censored"])
        return f"> {bound:g} in {arm['censored']} of {arm['n']}"
    spread = "" if arm["sd"] is None else f" ± {figure(arm['sd'])}"
    return f"{figure(arm['mean'])}{spread}"


def _difference(row: Json) -> str:
    if row["mean_difference"] is None:
        return ""
    shown: Sequence[float] | None = row["simultaneous"]
    interval = "" if shown is None else f" [{figure(shown[0])}, {figure(shown[1])}]"
    return f"{figure(row['mean_difference'])}{interval}"
