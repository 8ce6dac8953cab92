"""Small helpers around torch: random streams, transfers, and torchvision beside any torch."""
