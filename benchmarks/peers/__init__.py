"""Trackers that ours is measured beside, each in a process of their own environment.

`environment` and `jobs.Answer` are ours; the `with_*` scripts run in `.venv-peers`.
"""
