"""A preset's verdict as Markdown: what docs/FINDINGS.md is made of.

Needs a running product (`python -m launcher up`). Commands:

    python -m benchmarks.findings z25-synthetic
    python -m benchmarks.findings z25-mnist --set training.epochs=10 --set seeds=[0,1,2]

An id of an earlier comparison in the place of the preset prints that one again.
"""

import argparse
import copy
import json
import math
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

import httpx

from frontend.api.client import Api

WAIT_S: Final = 2.0
SHOWN: Final = (
    "geometry.intra_class_variance",
    "geometry.inter_class_variance",
    "geometry.effective_rank",
    "classification.knn_accuracy_5",
    "classification.linear_probe_accuracy",
    "retrieval.recall_at_1",
    "retrieval.map_at_r",
    *(
        f"retrieval.{way}.{name}"
        for way in ("audio_to_visual", "visual_to_audio")
        for name in ("map", "recall_at_1")
    ),
    "clustering.ami",
    "detail.recall_at_1",
)
"""Read on the test split."""
REFERENCES: Final = {"raw_backbone": "raw backbone", "chance": "chance"}
"""What results are held against besides, by its name in the API."""
WHOLE_RUN: Final = (
    "dynamics.active_ratio.early",
    "dynamics.gradient_norm.per_active.mean",
    "dynamics.gradient_norm.late_share",
    "dynamics.loss_decay_epochs",
    "dynamics.half_life",
    "dynamics.auc",
    "dynamics.empty_steps",
)


def main(argv: Sequence[str] | None = None) -> None:
    """Submit, wait, print."""
    options = _parser().parse_args(argv)
    with httpx.Client(base_url=options.api, timeout=60) as http:
        api = Api(http)
        comparison = _comparison(api, options.what, options.set)
        _wait(api, comparison)
        print(report(api, comparison))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.findings")
    parser.add_argument("what", help="a preset's id, or a comparison's")
    parser.add_argument(
        "--set", action="append", default=[], metavar="PATH=JSON", help="change the preset's spec"
    )
    parser.add_argument("--api", default="http://127.0.0.1:8500")
    return parser


def _comparison(api: Api, what: str, changes: Sequence[str]) -> str:
    preset = next((row for row in api.catalogue()["presets"] if row["id"] == what), None)
    if preset is None:
        return str(api.comparison(what)["id"])
    spec = copy.deepcopy(preset["spec"])
    for change in changes:
        path, _, value = change.partition("=")
        *sections, name = path.split(".")
        section = spec
        for part in sections:
            section = section.setdefault(part, {})
        section[name] = json.loads(value)
    return str(api.create(spec)["id"])


def _wait(api: Api, comparison: str) -> None:
    while (now := api.comparison(comparison))["state"] in {"queued", "running"}:
        eta = "" if now["eta_s"] is None else f", {now['eta_s']:.0f} s to go"
        print(f"\r{comparison}: {now['progress']:.0%}{eta}   ", end="", file=sys.stderr)
        time.sleep(WAIT_S)
    print(file=sys.stderr)


def report(api: Api, comparison: str) -> str:
    """The verdict and the results of a comparison as Markdown."""
    verdict = api.verdict(comparison)
    summary = api.summary(comparison)
    if verdict["arms"] is None:
        return str(verdict["summary"])
    a, b = verdict["arms"]["a"], verdict["arms"]["b"]
    lines = [verdict["summary"], "", *(f"- {caveat}" for caveat in verdict["caveats"]), ""]
    lines += [
        f"| claim | metric | {a} | {b} | difference, 95 % interval | p | p (Holm) | verdict |",
        "|--|--|--|--|--|--|--|--|",
    ]
    for claim in verdict["claims"]:
        heads = [(f"{claim['id']}. {claim['text']}", f"**{_words(claim['verdict'])}**")]
        heads += [("", "")] * (len(claim["evidence"]) - 1)
        lines += [
            f"| {head} | `{row['metric']}` | {_figure(row['mean_a'])} | {_figure(row['mean_b'])} "
            f"| {_difference(row)} | {_figure(row['p_value'])} | {_figure(row['p_holm'])} "
            f"| {word} |"
            for (head, word), row in zip(heads, claim["evidence"], strict=True)
        ]
    lines += ["", "Reported elsewhere, second-hand (contrastive and triplet):", ""]
    lines += [
        f"- claim {claim['id']}: "
        + "; ".join(
            f"{row['what']} {row['a']:g} and {row['b']:g} {row['unit']}".strip()
            for row in claim["reported"]
        )
        for claim in verdict["claims"]
        if claim["reported"]
    ]
    return "\n".join([*lines, "", *_results(summary)])


def _results(summary: Any) -> list[str]:
    wanted = dict.fromkeys((*(f"test.{key}" for key in SHOWN), *WHOLE_RUN)).keys()
    rows = {row["key"]: row for row in summary["metrics"]}
    arms = [arm["arm"] for arm in next(iter(rows.values()))["arms"]]
    known = wanted & rows.keys()
    held_against = [
        name for name in REFERENCES if any(rows[key][name] is not None for key in known)
    ]
    heads = ["metric, mean ± sd over seeds", *arms, *(REFERENCES[name] for name in held_against)]
    lines = [f"| {' | '.join(heads)} |", "|--|" + "--|" * (len(heads) - 1)]
    for key in (key for key in wanted if key in rows):
        cells = [_arm(arm) for arm in rows[key]["arms"]]
        cells += [_figure(rows[key][name]) for name in held_against]
        lines.append(f"| `{key}` | {' | '.join(cells)} |")
    return lines


def _arm(arm: Any) -> str:
    if arm["censored"]:
        bound = max(value["value"] for value in arm["values"] if value["censored"])
        return f"> {bound:g} in {arm['censored']} of {arm['n']}"
    spread = "" if arm["sd"] is None else f" ± {_figure(arm['sd'])}"
    return f"{_figure(arm['mean'])}{spread} (n = {arm['n']})"


def _difference(row: Any) -> str:
    if row["mean_difference"] is None:
        return ""
    interval = row["interval"]
    shown = "" if interval is None else f" [{_figure(interval[0])}, {_figure(interval[1])}]"
    return f"{_figure(row['mean_difference'])}{shown}"


def _figure(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return ""
    return f"{value:.3g}"


def _words(verdict: str) -> str:
    return verdict.replace("_", " ")


if __name__ == "__main__":
    main()
