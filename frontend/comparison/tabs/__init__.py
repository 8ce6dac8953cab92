"""The tabs of a comparison's page, as they are drawn with Streamlit."""
