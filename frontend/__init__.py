"""The dashboard: Streamlit pages that speak HTTP to the API."""
