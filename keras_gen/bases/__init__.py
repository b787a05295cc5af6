"""The bases of the model families: one for each pattern of training, and what models can do."""

from keras_gen.bases.adversarial import AdversarialModel
from keras_gen.bases.capabilities import Capable, Sampler, capability
from keras_gen.bases.classes import ClassCoder, Classifying, ClassSampler
from keras_gen.bases.coded import Coded
from keras_gen.bases.coder import Coder, Decoding, DiscreteCoder
from keras_gen.bases.generating import Generating
from keras_gen.bases.hierarchy import Drawn, HierarchicalVAE
from keras_gen.bases.latent import ImportanceWeighted, LatentModel
from keras_gen.bases.likelihood import DensityModel, Inferred, LikelihoodModel
from keras_gen.bases.opposed import Opposed
from keras_gen.bases.style_coder import StyleCoder
from keras_gen.bases.translator import Translator

__all__ = [
    "AdversarialModel",
    "Capable",
    "ClassCoder",
    "ClassSampler",
    "Classifying",
    "Coded",
    "Coder",
    "Decoding",
    "DensityModel",
    "DiscreteCoder",
    "Drawn",
    "Generating",
    "HierarchicalVAE",
    "ImportanceWeighted",
    "Inferred",
    "LatentModel",
    "LikelihoodModel",
    "Opposed",
    "Sampler",
    "StyleCoder",
    "Translator",
    "capability",
]
