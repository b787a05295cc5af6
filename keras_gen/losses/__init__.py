"""Functions of tensors: adversarial objectives, likelihoods, divergences and penalties.

All return one value an example, float32 `[batch]`. Names resolve through `adversarial.get`,
`likelihoods.get` and `penalties.get`.
"""

from keras_gen.losses import adversarial, divergences, likelihoods, penalties
from keras_gen.losses.adversarial import Hinge, LeastSquares, Minimax, NonSaturating, Wasserstein
from keras_gen.losses.divergences import kl_normal, kl_standard_normal
from keras_gen.losses.likelihoods import Bernoulli, Multinomial, Normal, Poisson
from keras_gen.losses.penalties import GradientPenalty

__all__ = [
    "Bernoulli",
    "GradientPenalty",
    "Hinge",
    "LeastSquares",
    "Minimax",
    "Multinomial",
    "NonSaturating",
    "Normal",
    "Poisson",
    "Wasserstein",
    "adversarial",
    "divergences",
    "kl_normal",
    "kl_standard_normal",
    "likelihoods",
    "penalties",
]
