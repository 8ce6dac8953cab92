"""Alerts: what happened is stored with what it tells of, and sent to receivers by a thread."""
