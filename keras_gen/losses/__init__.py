"""Functions of tensors: adversarial objectives, likelihoods, divergences and penalties.

All return one value per example, float32 `[batch]`. Names resolve through `adversarial.get`,
`likelihoods.get` and `penalties.get`.
"""

from keras_gen.losses import adversarial, divergences, likelihoods, penalties
from keras_gen.losses.adversarial import (
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Relativistic,
    Wasserstein,
)
from keras_gen.losses.concrete import log_concrete, relaxed_codes, relaxed_kl
from keras_gen.losses.disentangling import decomposed_kl, dip_penalties, permuted_dimensions
from keras_gen.losses.divergences import (
    kl_categorical,
    kl_normal,
    kl_standard_normal,
    log_ratio_normal,
)
from keras_gen.losses.likelihoods import (
    Bernoulli,
    Categorical,
    DiscretizedLogistic,
    LogNormal,
    Multinomial,
    Normal,
    Poisson,
    UnboundedNormal,
)
from keras_gen.losses.penalties import R1, GradientPenalty
from keras_gen.losses.spectral import spectral_loss

__all__ = [
    "R1",
    "Bernoulli",
    "Categorical",
    "DiscretizedLogistic",
    "GradientPenalty",
    "Hinge",
    "LeastSquares",
    "LogNormal",
    "Minimax",
    "Multinomial",
    "NonSaturating",
    "Normal",
    "Poisson",
    "Relativistic",
    "UnboundedNormal",
    "Wasserstein",
    "adversarial",
    "decomposed_kl",
    "dip_penalties",
    "divergences",
    "kl_categorical",
    "kl_normal",
    "kl_standard_normal",
    "likelihoods",
    "log_concrete",
    "log_ratio_normal",
    "penalties",
    "permuted_dimensions",
    "relaxed_codes",
    "relaxed_kl",
    "spectral_loss",
]
