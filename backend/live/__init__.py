"""The live event stream of a comparison, from a commit to the viewer."""
