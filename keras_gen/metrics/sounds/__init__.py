"""Sounds compared with their originals, and recognition of their voices and words."""
