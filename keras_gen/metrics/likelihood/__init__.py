"""Nats, bits and units in use."""

from keras_gen.metrics.likelihood.active_units import ActiveUnits, active_units
from keras_gen.metrics.likelihood.bits_per_dimension import BitsPerDimension, bits_per_dimension
from keras_gen.metrics.likelihood.latent_grid import latent_grid_mixture
from keras_gen.metrics.likelihood.nll import elbo_terms, importance_weighted_nll, nll_summary

__all__ = [
    "ActiveUnits",
    "BitsPerDimension",
    "active_units",
    "bits_per_dimension",
    "elbo_terms",
    "importance_weighted_nll",
    "latent_grid_mixture",
    "nll_summary",
]
