"""Comparisons of generated images with real ones."""
