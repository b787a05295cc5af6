"""Inexpensive methods fitted to data, for comparison with a model's results.

Functions that check their arguments raise a ValueError for shapes, dtypes, and ranges that the
docstring does not allow.
"""

from keras_gen.workshop.baselines.classifiers import (
    color_balanced_classes,
    coral,
    coral_accuracy,
    few_label_baselines,
    gradient_accuracy,
    graph_accuracy,
    neighbor_accuracy,
    stroke_codes,
    svm_accuracy,
)
from keras_gen.workshop.baselines.color_contexts import ColorContexts
from keras_gen.workshop.baselines.fairness import LinearErasure, RepairedScores, reweighing
from keras_gen.workshop.baselines.filters import (
    color_transfer,
    deslanted,
    framed_ink,
    grained_transfer,
    noise_filter,
    thresholded,
)
from keras_gen.workshop.baselines.image_codecs import (
    code_baselines,
    compressed_bits,
    jpeg,
    jpeg_quality,
)
from keras_gen.workshop.baselines.image_likelihoods import (
    PixelHistograms,
    ProbabilisticPCA,
    image_baselines,
)
from keras_gen.workshop.baselines.linear_prediction import (
    LinearPredictor,
    RecursivePredictor,
    StackedPredictor,
)
from keras_gen.workshop.baselines.mixtures import (
    BernoulliMixture,
    FactorMixture,
    LogisticMixture,
    best_mixture,
    mixture_samples,
)
from keras_gen.workshop.baselines.n_grams import (
    GridNGrams,
    NGrams,
    WordNGrams,
    best_grid_n_grams,
    best_n_grams,
)
from keras_gen.workshop.baselines.nearest_normal import divergence, nearest_normal
from keras_gen.workshop.baselines.paired_translation import (
    color_means,
    nearest_target,
    ridge_target,
)
from keras_gen.workshop.baselines.pixel_contexts import BoostedPixels, ContextTable
from keras_gen.workshop.baselines.point_densities import point_densities
from keras_gen.workshop.baselines.quantized_codes import (
    CodedComponents,
    PatchCodebook,
    PrincipalComponents,
    QuantizedComponents,
    ink_moments,
)
from keras_gen.workshop.baselines.restoration import (
    BoostedDenoiser,
    ClusteredRidge,
    bicubic,
    border_mean,
    laplace_fill,
    ridge_fill,
)
from keras_gen.workshop.baselines.sound_baselines import (
    Equalizer,
    FrameCodebook,
    NearestUnits,
    griffin_lim,
)
from keras_gen.workshop.baselines.tables import (
    ChowLiuTree,
    ColumnNetwork,
    IndependentColumns,
    ProductMixture,
)
