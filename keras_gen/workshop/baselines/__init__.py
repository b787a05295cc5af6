"""Cheap methods fitted to data, to compare a model's results with.

Where arguments are checked, other shapes, dtypes or ranges than described raise a ValueError.
"""

from keras_gen.workshop.baselines.codes.code_baselines import code_baselines
from keras_gen.workshop.baselines.codes.compression import compressed_bits
from keras_gen.workshop.baselines.codes.ink_moments import ink_moments
from keras_gen.workshop.baselines.codes.jpeg import jpeg, jpeg_quality
from keras_gen.workshop.baselines.codes.principal_components import PrincipalComponents
from keras_gen.workshop.baselines.codes.quantized_components import (
    CodedComponents,
    PatchCodebook,
    QuantizedComponents,
)
from keras_gen.workshop.baselines.labels.coral import coral, coral_accuracy
from keras_gen.workshop.baselines.labels.few_label_classifiers import (
    few_label_baselines,
    neighbor_accuracy,
    svm_accuracy,
)
from keras_gen.workshop.baselines.labels.linear_erasure import LinearErasure, reweighing
from keras_gen.workshop.baselines.labels.linear_predictor import LinearPredictor
from keras_gen.workshop.baselines.labels.recursive_predictor import RecursivePredictor
from keras_gen.workshop.baselines.labels.repaired_scores import RepairedScores
from keras_gen.workshop.baselines.likelihoods.bernoulli_mixture import BernoulliMixture
from keras_gen.workshop.baselines.likelihoods.boosted_pixels import BoostedPixels
from keras_gen.workshop.baselines.likelihoods.context_table import ContextTable
from keras_gen.workshop.baselines.likelihoods.gaussian_mixture import (
    best_mixture,
    mixture_samples,
)
from keras_gen.workshop.baselines.likelihoods.grid_n_grams import GridNGrams, best_grid_n_grams
from keras_gen.workshop.baselines.likelihoods.image_likelihoods import image_baselines
from keras_gen.workshop.baselines.likelihoods.n_grams import NGrams, best_n_grams
from keras_gen.workshop.baselines.likelihoods.nearest_normal import divergence, nearest_normal
from keras_gen.workshop.baselines.likelihoods.pixel_histograms import PixelHistograms
from keras_gen.workshop.baselines.likelihoods.probabilistic_pca import ProbabilisticPCA
from keras_gen.workshop.baselines.sounds.griffin_lim import griffin_lim
from keras_gen.workshop.baselines.sounds.speech_units import (
    Equalizer,
    FrameCodebook,
    NearestUnits,
)
from keras_gen.workshop.baselines.translations.bicubic import bicubic
from keras_gen.workshop.baselines.translations.clustered_ridge import ClusteredRidge
from keras_gen.workshop.baselines.translations.color_transfer import (
    color_transfer,
    framed_ink,
    noise_filter,
)
from keras_gen.workshop.baselines.translations.fills import border_mean, laplace_fill, ridge_fill
from keras_gen.workshop.baselines.translations.paired_translation import (
    color_means,
    nearest_target,
    ridge_target,
)
from keras_gen.workshop.baselines.translations.thresholded import thresholded
