"""The page of one comparison: its tabs, tables, dialogs and texts."""
