"""Who may do what: tokens with roles, the table of rules, the check before all routes, the audit
log.

Without tokens the API is open: everybody is "local" and may do everything.
"""
