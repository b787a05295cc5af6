"""Losses: functions of tensors that usually return one value per example, float32 `[batch]`.

`adversarial.get`, `likelihoods.get`, and `penalties.get` look up objects by name. The constructors
of loss objects raise a `ValueError` for arguments outside the ranges in their `Args`.
"""

from keras_gen.losses import adversarial, divergences, likelihoods, penalties
from keras_gen.losses.adversarial import (
    FDivergence,
    Hinge,
    JensenShannon,
    KullbackLeibler,
    LeastSquares,
    Minimax,
    NonSaturating,
    Pearson,
    Relativistic,
    ReverseKL,
    Wasserstein,
)
from keras_gen.losses.classification import code_information
from keras_gen.losses.disentangling import decomposed_kl, dip_penalties, permuted_dimensions
from keras_gen.losses.divergences import (
    free_kl_standard_normal,
    kl_categorical,
    kl_normal,
    kl_standard_normal,
    log_ratio_normal,
)
from keras_gen.losses.feature_losses import feature_distance, slope_ratio, spectral_loss
from keras_gen.losses.gumbel_softmax import log_concrete, relaxed_codes, relaxed_kl
from keras_gen.losses.likelihoods import (
    Bernoulli,
    Categorical,
    ColumnNormal,
    DiscretizedLogistic,
    Multinomial,
    Normal,
    NormalMixture,
    Poisson,
    UnboundedNormal,
)
from keras_gen.losses.penalties import (
    DRAGAN,
    R1,
    R2,
    Consistency,
    GradientPenalty,
    JensenShannonRegularizer,
)
from keras_gen.losses.regularizers import orthogonality, path_lengths
