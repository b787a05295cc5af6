"""Runs, results, commands, baselines, and plots, which recipes and pages use with models."""
