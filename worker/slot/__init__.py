"""A slot: claims runs and watches over the trainers that it starts."""
