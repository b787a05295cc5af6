"""Tiny autoencoders."""

import keras
import numpy as np

from keras_gen.autoencoders import (
    Autoencoder,
    ClassifyingAutoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    DocumentAutoencoder,
    SparseAutoencoder,
)
from keras_gen.losses import Normal
from keras_gen.networks import mlp_decoder, mlp_encoder
from tiny import WORDS, Tiny, reconstruct


def _code_networks(**options):
    shape = (4, 4, 1)
    return (
        mlp_encoder(shape, latent_dim=3, hidden=(), **options),
        mlp_decoder(shape, latent_dim=3, hidden=(5,)),
    )


def _variant(cls, seed=3, output_activation=None, **options):
    networks = _code_networks(output_activation=output_activation)
    return cls(*networks, likelihood=Normal(scale=0.5), seed=seed, **options)


def _autoencoder(seed=3):
    return _variant(Autoencoder, seed, name="tiny_ae")


def _classifying(seed=3):
    logits = [keras.Input((3,)), keras.layers.Dense(4, dtype="float32")]
    networks = *_code_networks(), keras.Sequential(logits, name="classifier")
    return ClassifyingAutoencoder(*networks, likelihood=Normal(scale=0.5), weight=2.0, seed=seed)


def _contractive(seed=3):
    options = dict(output_activation="sigmoid", weight=0.5, method="hutchinson")
    return _variant(ContractiveAutoencoder, seed, **options)


def _denoising(seed=3):
    return _variant(DenoisingAutoencoder, seed, corruption="salt_and_pepper", amount=0.5)


def _document(seed=3):
    return DocumentAutoencoder(
        mlp_encoder((len(WORDS),), latent_dim=3, hidden=(6,)),
        mlp_decoder((len(WORDS),), latent_dim=3, hidden=(5,)),
        WORDS,
        likelihood="poisson",
        idf=np.linspace(0.5, 2.0, len(WORDS)).tolist(),
        top=4,
        seed=seed,
        name="tiny_documents",
    )


def _sparse(seed=3):
    options = dict(output_activation="sigmoid", penalty="l1", weight=0.5, target=0.2)
    return _variant(SparseAutoencoder, seed, **options)


def _words(model):
    _, rates = model.reconstruct(["apple apple milk", "bread", "no known word"])
    return np.clip(100 * rates, 0, 255).astype("uint8")


TINY = {
    "Autoencoder": Tiny(_autoencoder, reconstruct, draws=False),
    "ClassifyingAutoencoder": Tiny(_classifying, reconstruct, draws=False),
    "ContractiveAutoencoder": Tiny(_contractive, reconstruct),
    "DenoisingAutoencoder": Tiny(_denoising, reconstruct),
    "DocumentAutoencoder": Tiny(_document, _words, draws=False),
    "SparseAutoencoder": Tiny(_sparse, reconstruct, draws=False),
}
