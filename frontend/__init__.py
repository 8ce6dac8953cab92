"""The dashboard: Streamlit pages that call the API over HTTP."""
