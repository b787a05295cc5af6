"""Comparisons of generated images with real images."""
