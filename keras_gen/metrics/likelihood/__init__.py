"""Nats, bits and units in use."""

from keras_gen.metrics.likelihood.active_units import ActiveUnits, active_units
from keras_gen.metrics.likelihood.baselines import image_baselines
from keras_gen.metrics.likelihood.bernoulli_mixture import BernoulliMixture
from keras_gen.metrics.likelihood.bits_per_dimension import BitsPerDimension, bits_per_dimension
from keras_gen.metrics.likelihood.compression import compressed_bits
from keras_gen.metrics.likelihood.latent_grid import latent_grid_mixture
from keras_gen.metrics.likelihood.nll import elbo_terms, importance_weighted_nll, nll_summary
from keras_gen.metrics.likelihood.pixel_histograms import PixelHistograms
from keras_gen.metrics.likelihood.probabilistic_pca import ProbabilisticPCA

__all__ = [
    "ActiveUnits",
    "BernoulliMixture",
    "BitsPerDimension",
    "PixelHistograms",
    "ProbabilisticPCA",
    "active_units",
    "bits_per_dimension",
    "compressed_bits",
    "elbo_terms",
    "image_baselines",
    "importance_weighted_nll",
    "latent_grid_mixture",
    "nll_summary",
]
