"""The comparison spec: its sections, the rules between them, and its problems."""
