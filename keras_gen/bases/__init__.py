"""The bases of the model families: one for each pattern of training, and how data enter."""

from keras_gen.bases.adversarial import AdversarialModel
from keras_gen.bases.classes import Classifying
from keras_gen.bases.classifier import Classifier
from keras_gen.bases.coder import Coder, DiscreteCoder
from keras_gen.bases.hierarchy import Drawn, HierarchicalVAE
from keras_gen.bases.latent_sampler import LatentSampler
from keras_gen.bases.likelihood import SCORE_SAMPLES, Inferred, LikelihoodModel, log_prob
from keras_gen.bases.opposed import OpposedClassifier, dense_discriminator
from keras_gen.bases.predictor import AdversarialPredictor
from keras_gen.bases.translator import Translator
from keras_gen.bases.unpaired import UnpairedTranslator
