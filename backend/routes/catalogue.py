"""What can be chosen."""

from typing import Any

from fastapi import APIRouter

from contract.catalogue import catalogue

router = APIRouter(tags=["catalogue"])


@router.get("/catalogue")
def read_catalogue() -> dict[str, Any]:
    """Data sets, encoders, losses, samplers, optimisers, presets and metrics, with schemas."""
    found = catalogue()
    # Both data kinds come with the product: one is bundled, the other is generated.
    found["data"] = [{**row, "present": True} for row in found["data"]]
    return found
