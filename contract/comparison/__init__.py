"""The comparison spec: its sections, the rules between sections, and the problems of a spec."""
