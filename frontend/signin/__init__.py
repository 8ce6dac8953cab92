"""The sign-in: a page where a token is pasted, and the session that stands for it from then on.

The browser keeps a random id in a cookie that no script can read; the token stays in this process.
Where the API has no tokens there is no sign-in.
"""
