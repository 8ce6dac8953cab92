"""For Prometheus."""

from fastapi import APIRouter, Request, Response

from backend.http.dependencies import Own
from backend.monitoring.prometheus import CONTENT_TYPE, Metrics

metrics_router = APIRouter(tags=["health"])


@metrics_router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {CONTENT_TYPE: {"schema": {"type": "string"}}}}},
)
def read(request: Request, own: Own) -> Response:
    """Queue, slots, ingest, requests and sizes in Prometheus' text format."""
    metrics: Metrics = request.app.state.metrics
    return Response(metrics.text(own), media_type=CONTENT_TYPE)
