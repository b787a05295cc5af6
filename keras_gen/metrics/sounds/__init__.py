"""Sounds compared with their originals, and the voices and words recognized in them."""
