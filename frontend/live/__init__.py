"""The live curves: a component that lives in the viewer's browser."""
