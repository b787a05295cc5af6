"""Image-to-image networks and their discriminators."""
