"""One comparison: its texts, HTML tables and actions; `tabs` draws them on the comparison's page.

The texts and tables are also used by the form, the exports and the page that compares arms.
"""
