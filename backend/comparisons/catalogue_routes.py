"""What can be chosen."""

from typing import Any

from fastapi import APIRouter

from contract.catalogue.catalogue import catalogue

catalogue_router = APIRouter(tags=["catalogue"])


@catalogue_router.get("/catalogue")
def read_catalogue() -> dict[str, Any]:
    """Data sets, encoders, losses, samplers, optimisers, presets and metrics, with schemas."""
    found = catalogue()
    # Of data that are downloaded or placed only the workers can say, each for its own machine.
    found["data"] = [
        {**row, "present": True if row["source"] in {"bundled", "own"} else None}
        for row in found["data"]
    ]
    return found
