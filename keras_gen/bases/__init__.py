"""The bases of the model families: one for each pattern of training, and what models can do."""

from keras_gen.bases.adversarial import AdversarialModel
from keras_gen.bases.capabilities import Capable, Sampler, capability
from keras_gen.bases.coder import Coder, Decoding, DiscreteCoder
from keras_gen.bases.hierarchy import Drawn, HierarchicalVAE
from keras_gen.bases.latent import LatentModel
from keras_gen.bases.likelihood import DensityModel, Inferred, LikelihoodModel
from keras_gen.bases.translator import Translator

__all__ = [
    "AdversarialModel",
    "Capable",
    "Coder",
    "Decoding",
    "DensityModel",
    "DiscreteCoder",
    "Drawn",
    "HierarchicalVAE",
    "Inferred",
    "LatentModel",
    "LikelihoodModel",
    "Sampler",
    "Translator",
    "capability",
]
