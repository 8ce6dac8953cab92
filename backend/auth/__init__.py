"""Who may do what: tokens with roles, one table of rules, the guard before all routes, the trail.

Without tokens the house is open: everybody is "local" and may do everything.
"""
