"""Codes of images without a network."""
