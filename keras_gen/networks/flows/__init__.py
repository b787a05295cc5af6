"""Invertible networks."""
