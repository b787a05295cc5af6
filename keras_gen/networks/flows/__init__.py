"""Invertible networks for normalizing flows."""
