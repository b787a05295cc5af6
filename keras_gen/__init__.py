"""Reference implementations of deep generative models in Keras 3 and TensorFlow.

Each family of models is a separate package, and its models are also available here:
`from keras_gen import VAE`. `import keras_gen` alone does not import TensorFlow: a model is
imported when its name is used. If Keras is already imported, all models are imported, so that
`keras.models.load_model` recognizes their classes. `keras_gen.load` loads a trained model, given
the name of its export or the path of a file.
"""

import importlib
import os
import sys
from typing import Any

from keras_gen.environment import require_tensorflow
from keras_gen.quiet import start_tensorflow

__version__ = "0.4.0"

require_tensorflow()

# TensorFlow's log is hidden unless the environment requests it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

_MODELS = {
    "adaptation": ("ADDA", "DANN", "DomainConfusion"),
    "autoencoders": (
        "Autoencoder",
        "ClassifyingAutoencoder",
        "ContractiveAutoencoder",
        "DenoisingAutoencoder",
        "DocumentAutoencoder",
        "SparseAutoencoder",
    ),
    "autoregressive": (
        "MADE",
        "CharacterRNN",
        "CodePrior",
        "ConditionalCodePrior",
        "ConditionalPixelCNN",
        "ConditionalWaveNet",
        "PixelCNN",
        "PixelRNN",
        "TableMADE",
        "WaveNet",
    ),
    "classifiers": ("Classifier",),
    "diffusion": ("DDPM", "EDM", "ConditionalDDPM", "FlowMatching", "LatentDiffusion", "Reflow"),
    "energy_based": ("EBM",),
    "fairness": ("ALFR", "GRAD", "VFAE"),
    "flows": ("ConditionalFlow", "Flow", "WaveGlow"),
    "gan": (
        "ACGAN",
        "GAN",
        "WGAN",
        "WGANGP",
        "BigGAN",
        "CoGAN",
        "ConditionalGAN",
        "ConsensusGAN",
        "HistoryGAN",
        "InfoGAN",
        "InstanceNoiseGAN",
        "MoCoGAN",
        "PacGAN",
        "ProgressiveGAN",
        "StyleGAN",
        "UnrolledGAN",
    ),
    "robustness": ("VAT", "AdversarialTraining"),
    "translation": (
        "ContextEncoder",
        "CycleGAN",
        "Pix2Pix",
        "Pix2PixVideo",
        "SRGAN",
        "TalkingHeads",
        "UNIT",
    ),
    "vae": (
        "BIVA",
        "DBVAE",
        "DIPVAE",
        "IWAE",
        "M2",
        "VAE",
        "VQGAN",
        "VQVAE",
        "VQVAE2",
        "BetaTCVAE",
        "CapacityVAE",
        "ConditionalVAE",
        "ConditionalVQVAE",
        "FactorVAE",
        "GumbelVAE",
        "LadderVAE",
        "PixelVAE",
        "PriorSampledModel",
        "StyleIdentityVAE",
        "TableVAE",
    ),
}
_ROOMS = (
    "course",
    "data",
    "files",
    "layers",
    "losses",
    "metrics",
    "networks",
    "serving",
    "workshop",
)
_FAMILIES = {model: family for family, models in _MODELS.items() for model in models}
__all__ = list(_FAMILIES)


def __getattr__(name: str) -> Any:
    if name in _ROOMS or name in _MODELS:
        return importlib.import_module(f"keras_gen.{name}")
    if name not in _FAMILIES and name != "load":
        raise AttributeError(f"module 'keras_gen' has no attribute {name!r}")
    start_tensorflow()
    if name == "load":
        _import_models()
        return importlib.import_module("keras_gen.serving.pretrained").load
    return getattr(importlib.import_module(f"keras_gen.{_FAMILIES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(["__version__", "load", *_MODELS, *_ROOMS, *_FAMILIES])


def _import_models() -> None:
    """Imports the models of all families, so that Keras recognizes their classes in files."""
    for family in _MODELS:
        importlib.import_module(f"keras_gen.{family}")


if sys.modules.get("keras"):
    _import_models()
