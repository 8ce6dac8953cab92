"""Health probes, and metrics for Prometheus."""
