"""The embedding space: linked panels that live in the viewer's browser."""
