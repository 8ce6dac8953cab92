"""The tabs of a comparison's page, one module each."""
