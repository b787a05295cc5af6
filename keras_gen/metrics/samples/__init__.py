"""Sets of generated images beside sets of real ones."""

from keras_gen.metrics.samples.bins import bin_shares
from keras_gen.metrics.samples.classes import class_report
from keras_gen.metrics.samples.color_statistics import color_statistics
from keras_gen.metrics.samples.earth_mover import critic_distances, earth_movers_distance
from keras_gen.metrics.samples.frechet import (
    FeatureMoments,
    Moments,
    frechet_distance,
    frechet_infinity,
    moments,
)
from keras_gen.metrics.samples.generation import (
    GenerationEvaluation,
    compare_sets,
    generation_report,
)
from keras_gen.metrics.samples.inception_score import InceptionScore, inception_score
from keras_gen.metrics.samples.kernel_distance import kernel_distance
from keras_gen.metrics.samples.memorization import memorization
from keras_gen.metrics.samples.modes import (
    GaussianModes,
    gaussian_modes,
    grid_centers,
    label_modes,
    ring_centers,
    stacked_modes,
)
from keras_gen.metrics.samples.motion import motion_distances, motion_statistics
from keras_gen.metrics.samples.neighbors import nearest_neighbors
from keras_gen.metrics.samples.parzen import best_parzen_std, parzen_log_likelihood
from keras_gen.metrics.samples.path_length import perceptual_path_length
from keras_gen.metrics.samples.prdc import prdc
from keras_gen.metrics.samples.sliced_wasserstein import pyramid_distances
from keras_gen.metrics.samples.translation import TranslationEvaluation, cycle_error

__all__ = [
    "FeatureMoments",
    "GaussianModes",
    "GenerationEvaluation",
    "InceptionScore",
    "Moments",
    "TranslationEvaluation",
    "best_parzen_std",
    "bin_shares",
    "class_report",
    "color_statistics",
    "compare_sets",
    "critic_distances",
    "cycle_error",
    "earth_movers_distance",
    "frechet_distance",
    "frechet_infinity",
    "gaussian_modes",
    "generation_report",
    "grid_centers",
    "inception_score",
    "kernel_distance",
    "label_modes",
    "memorization",
    "moments",
    "motion_distances",
    "motion_statistics",
    "nearest_neighbors",
    "parzen_log_likelihood",
    "perceptual_path_length",
    "prdc",
    "pyramid_distances",
    "ring_centers",
    "stacked_modes",
]
