"""Clients of the API's internal part: runs, projections and blobs."""
