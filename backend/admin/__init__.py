"""Commands on a whole database or data folder: migrate, copy, backup, restore.

Run as `python -m backend.admin`; the launcher passes its commands of the same names on to it.
"""
