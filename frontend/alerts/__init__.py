"""Alerts on the pages: notices of the browser, and where alerts are sent."""
