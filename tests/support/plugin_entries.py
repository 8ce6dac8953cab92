"""What workers report of plug-ins, without a worker: two that can be used, and one that cannot."""

from typing import Any

from contract.comparison.plugins import PluginEntry

EPSILON = {"epsilon": {"type": "number", "default": 0.1}}


def entry(name: str = "siglip", **facts: Any) -> PluginEntry:
    """Return a plug-in with a number, a whole number, a choice and a switch."""
    usual: dict[str, Any] = {
        "name": name,
        "source": "/srv/losses",
        "label": name.title(),
        "digest": f"{name}-1",
        "idea": "Asks pairs.",
        "paper": "arXiv 2303.15343",
        "parameters": {
            "temperature": {
                "type": "number",
                "default": 0.1,
                "exclusiveMinimum": 0,
                "title": "Temperature",
                "x-search": {"low": 0.01, "high": 1.0, "log": True},
            },
            "bins": {"type": "integer", "default": 10, "minimum": 2},
            "side": {"type": "string", "enum": ["left", "right"], "default": "left"},
            "bias": {"anyOf": [{"type": "number"}, {"type": "null"}], "default": None},
            "soft": {"type": "boolean", "default": False},
        },
    }
    return PluginEntry.model_validate({**usual, **facts})


PROXIES = entry(
    "pml.ProxyAnchorLoss",
    source="pml",
    label="ProxyAnchorLoss (pml)",
    version="2.9.0",
    trainable=True,
    counts="terms",
    two_modalities=True,
    parameters={"margin": {"type": "number", "default": 0.1}},
    miners={"MultiSimilarityMiner": EPSILON, "BatchHardMiner": {}},
    distances={"CosineSimilarity": {}, "LpDistance": {"p": {"type": "number", "default": 2.0}}},
)
BROKEN = entry("broken", problem="its gradient at the embeddings is not finite", digest="broken-1")
KNOWN = {one.name: one for one in (entry(), PROXIES, BROKEN)}


def arm(name: str, **loss: Any) -> dict[str, Any]:
    """Return an arm with a plug-in."""
    return {"name": name, "loss": {"kind": "plugin", "name": name, **loss}}
