"""The UI's own server: the proxy to the API, and the sign-in before all pages.

The browser keeps a random id in a cookie that no script can read; the token stays in this process.
Where the API has no tokens there is no sign-in.
"""
