"""Made-up answers of the API about trained models and confusion, for tests of pages."""

from typing import Any

ARMS = ("contrastive", "triplet")


def parts(**problems: str) -> list[dict[str, Any]]:
    """Return the three parts of a model, kept unless a problem is given."""
    return [
        {
            "kind": kind,
            "kept": kind not in problems,
            "size": 24_300,
            "problem": problems.get(kind, ""),
        }
        for kind in ("weights", "embeddings", "confusion")
    ]


def kept_model(arm: str, seed: int, **changes: Any) -> dict[str, Any]:
    """Return what a run that has succeeded keeps."""
    score = 0.5 + 0.1 * (seed == 1)
    made = {"run": f"r-{arm}-{seed}", "arm": arm, "seed": seed, "state": "succeeded"}
    return {**made, "parts": parts(), "score": score, "parameters": 5360, **changes}


def models(*runs: dict[str, Any], **suggested: Any) -> dict[str, Any]:
    """Return the models of two arms and two seeds, of which triplet's seed 1 is suggested."""
    listed = list(runs) or [kept_model(arm, seed) for seed in (0, 1) for arm in ARMS]
    why = {"why_arm": "The leaderboard's advice is <b>triplet</b>.", "why_seed": "It is the best."}
    made = {"arm": "triplet", "seed": 1, "run": "r-triplet-1", **why, "level": []}
    return {"suggested": {**made, **suggested}, "runs": listed}


def model(run: str) -> dict[str, Any]:
    """Return a model to take along."""
    return {
        "run": run,
        "arm": "triplet",
        "seed": 1,
        "files": [
            {"name": "model.safetensors", "size": 24_300, "what": "the weights"},
            {"name": "embed.py", "size": 700, "what": "loads it"},
        ],
        "needs": ["torch", "numpy"],
        "script": f"# of {run}\nimport torch\n",
        "card": "---\nlibrary_name: pytorch\n---\n\n# digits\n\nAn encoder.\n\n## Data\n",
        "description": {"format": 1, "measured": {"test": {}}, "encoders": []},
    }


def confusion(*arms: dict[str, Any], **changes: Any) -> Any:
    """Return which classes are confused, of three classes by default."""
    made = {"split": "test", "shared": True, "seeds": [0, 1], "classes": ["1", "7", "8"]}
    return {**made, "items": [10, 20, 20], "arms": list(arms), "lacking": [], **changes}


def arm_confusion(
    arm: str, *pairs: tuple[int, int, float], right: tuple[float, ...] = (9.0, 18.0, 20.0)
) -> dict[str, Any]:
    """Return the confusion of one arm."""
    listed = [
        {"actual": a, "nearest": b, "items": n, "low": n - 0.5, "high": n + 0.5}
        for a, b, n in pairs
    ]
    return {"arm": arm, "seeds": [0, 1], "right": list(right), "pairs": listed, "others": 0.0}
