"""Clients of the API's internal part: runs, blobs and projections."""
