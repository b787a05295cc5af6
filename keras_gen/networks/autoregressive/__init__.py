"""Causal networks."""
