"""Densities fitted without a network."""
