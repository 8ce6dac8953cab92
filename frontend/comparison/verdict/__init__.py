"""The verdict on the nine claims as HTML: what was decided, the forest plot, every figure.

No Streamlit here: the report and the command line use these modules too.
"""
