"""Classifiers and predictors without a network."""
