"""The embedding space: linked panels that run in the viewer's browser."""
