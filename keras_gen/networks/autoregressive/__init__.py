"""Causal networks for autoregressive models."""
