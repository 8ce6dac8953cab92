"""The live curves: a component that runs in the viewer's browser."""
