"""Runs, results, commands, baselines, and plots for recipes and documentation pages."""
