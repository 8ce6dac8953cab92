"""Who works on what."""

from fastapi import APIRouter

from backend.http.dependencies import Own
from backend.runs.schemas import WorkerList

router = APIRouter(tags=["workers"])


@router.get("/workers")
def read(own: Own) -> WorkerList:
    """The slots heard of lately; lost ones have been silent for 15 s."""
    return WorkerList(workers=own.workers.listed())
