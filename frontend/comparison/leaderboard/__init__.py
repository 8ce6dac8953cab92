"""The leaderboard: a figure of all arms in one metric, and their ranks as a table.

No Streamlit here: the report draws both too.
"""
