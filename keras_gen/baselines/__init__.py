"""Cheap methods fitted to data, to compare a model's results with.

Where arguments are checked, other shapes, dtypes or ranges than described raise a ValueError.
"""

from keras_gen.baselines.attributes import LinearErasure, reweighing
from keras_gen.baselines.bernoulli_mixture import BernoulliMixture
from keras_gen.baselines.bicubic import bicubic
from keras_gen.baselines.codes import code_baselines
from keras_gen.baselines.compression import compressed_bits
from keras_gen.baselines.context_table import ContextTable
from keras_gen.baselines.coral import coral, coral_accuracy
from keras_gen.baselines.few_labels import few_label_baselines, neighbor_accuracy, svm_accuracy
from keras_gen.baselines.fills import border_mean, laplace_fill, ridge_fill
from keras_gen.baselines.filters import color_transfer, framed_ink, noise_filter
from keras_gen.baselines.gaussian_mixture import best_mixture, mixture_samples
from keras_gen.baselines.griffin_lim import griffin_lim
from keras_gen.baselines.image_likelihoods import image_baselines
from keras_gen.baselines.jpeg import jpeg, jpeg_quality
from keras_gen.baselines.linear_predictor import LinearPredictor
from keras_gen.baselines.moments import ink_moments
from keras_gen.baselines.n_grams import NGrams, best_n_grams
from keras_gen.baselines.pairs import color_means, nearest_target, ridge_target
from keras_gen.baselines.pixel_histograms import PixelHistograms
from keras_gen.baselines.principal_components import PrincipalComponents
from keras_gen.baselines.probabilistic_pca import ProbabilisticPCA
from keras_gen.baselines.quantized import CodedComponents, PatchCodebook, QuantizedComponents
from keras_gen.baselines.speech import Equalizer, FrameCodebook, NearestUnits
from keras_gen.baselines.thresholded import thresholded
