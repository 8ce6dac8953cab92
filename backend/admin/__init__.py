"""What is done to a whole database or data folder from the command line.

Run as `python -m backend.admin`; the launcher passes its commands of the same names on to it.
"""
