"""The processes of the product: which there are, their start, watch and end."""
