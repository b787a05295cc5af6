"""Tiny VAEs."""

import keras
import numpy as np

from keras_gen import vae
from keras_gen.core import schedules
from keras_gen.data import table_columns
from keras_gen.losses import Categorical, Normal, UnboundedNormal
from keras_gen.networks import (
    m2_networks,
    mlp_decoder,
    mlp_encoder,
    pixel_vae_decoder,
    table_networks,
    vq_vae_2_networks,
    wave_decoder,
    wave_encoder,
    with_head,
    with_labels,
)
from tiny import ROWS, Tiny, cells, reconstruct, sample

SHAPE = (4, 4, 1)
NORMAL = Normal(scale=0.5)


def _encoder(latent_dim=2, heads=("codes",)):
    return mlp_encoder(SHAPE, latent_dim, hidden=(5,), heads=heads)


def _posterior():
    return _encoder(heads=("mean", "log_variance"))


def _decoder(latent_dim=2):
    return mlp_decoder(SHAPE, latent_dim, hidden=(5,))


def _critic(shape, latent_dim=1, name="discriminator"):
    return mlp_encoder(shape, latent_dim, hidden=(5,), activation="leaky_relu", name=name)


# Normal latents --------------------------------------------------------------------------------


def _vae(seed=3):
    return vae.VAE(
        _posterior(),
        mlp_decoder((4, 4, 2), latent_dim=2, hidden=(6, 5), activation="relu"),
        likelihood=Normal(scale=None, minimum_scale=0.1),
        beta=0.5,
        seed=seed,
        name="tiny_vae",
    )


def _variant(cls, *arguments, **options):
    """A VAE of Normal latents with another loss."""
    return cls(_posterior(), _decoder(), *arguments, likelihood=NORMAL, **options)


def _iwae(seed=3):
    return _variant(vae.IWAE, samples=3, estimator="dreg", seed=seed)


def _capacity(seed=3):
    growing = schedules.Linear(0.1, 3.0, steps=10)
    return _variant(vae.CapacityVAE, gamma=4.0, capacity=growing, seed=seed)


def _beta_tc(seed=3):
    weights = dict(beta=2.0, alpha=0.5, gamma=1.5)
    return _variant(vae.BetaTCVAE, 20, stratified=True, **weights, seed=seed)


def _dip(seed=3):
    weights = dict(off_diagonal_weight=2.0, diagonal_weight=3.0)
    return _variant(vae.DIPVAE, type="I", **weights, seed=seed)


def _factor(seed=3):
    return _variant(vae.FactorVAE, _critic((2,)), gamma=2.0, seed=seed)


def _pixel(seed=3):
    sizes = dict(filters=3, blocks=0, decoder_filters=(3,), first_kernel=3, levels=5)
    decoder = pixel_vae_decoder(SHAPE, 2, 5, **sizes)
    return vae.PixelVAE(_posterior(), decoder, Categorical(5), free_bits=0.2, beta=0.5, seed=seed)


def _prior_sampled(seed=3):
    return vae.PriorSampledModel(_decoder(), likelihood=NORMAL, samples=3, seed=seed)


# Classes ---------------------------------------------------------------------------------------


def _m2(seed=3):
    # Not from near zero, where all classes look alike.
    sizes = dict(classes=3, latent_dim=2, hidden=(5,), params_per_value=2)
    networks = m2_networks(SHAPE, **sizes, deviation=None)
    likelihood = Normal(scale=None, minimum_scale=0.1)
    return vae.M2(*networks, likelihood=likelihood, alpha=2.0, seed=seed)


def _db(seed=3):
    return vae.DBVAE(
        with_head(_posterior(), 3),
        _decoder(),
        dataset_size=8,
        likelihood=NORMAL,
        positive=2,
        weight=2.0,
        beta=0.5,
        alpha=0.1,
        bin_width=0.25,
        seed=seed,
    )


def _style_identity(seed=3):
    encoder = _posterior()
    critic = mlp_encoder((4, 4, 1 + 3), latent_dim=1, hidden=(5,), name="discriminator")
    return vae.StyleIdentityVAE(
        with_head(encoder, 3, "identity"),
        _decoder(5),
        with_labels(critic, 3),
        classes=3,
        likelihood=NORMAL,
        swap_weight=2.0,
        beta=0.5,
        adversarial_weight=3.0,
        objective="hinge",
        seed=seed,
    )


def label_prior(classes, latent_dim) -> keras.Model:
    """A table of the mean and log variance of each class: Sohn et al. (2015), sec. 4."""
    labels = keras.Input((), dtype="int32", name="labels")
    heads = [
        keras.layers.Embedding(classes, latent_dim, "zeros", name=name, dtype="float32")(labels)
        for name in ("mean", "log_variance")
    ]
    return keras.Model(labels, heads, name="prior")


def _conditional(seed=3):
    # Of rows, so that the contracts see a model that standardizes.
    classes = 3
    encoder = mlp_encoder((3 + classes,), 2, hidden=(4,), heads=("mean", "log_variance"))
    decoder = mlp_decoder((6,), 2 + classes, hidden=(4,))
    return vae.ConditionalVAE(
        with_labels(encoder, classes),
        with_labels(decoder, classes),
        classes,
        likelihood=UnboundedNormal(minimum_scale=0.1),
        prior=label_prior(classes, latent_dim=2),
        beta=0.5,
        standardize=True,
        seed=seed,
    )


def _table_vae(seed=3):
    columns = table_columns(ROWS)
    networks = table_networks(columns, latent_dim=2, hidden=(4,), activation="tanh")
    model = vae.TableVAE(*networks, columns, beta=0.5, components=3, seed=seed)
    model.prior.fit(np.random.default_rng(0).normal([1.0, -1.0], [0.5, 2.0], (30, 2)))
    return model


# Discrete codes --------------------------------------------------------------------------------

# What no optimizer moves stays.
CODEBOOK = dict(codebook_size=6, commitment_weight=0.5, dead_after=None, codebook_update="loss")


def _gumbel(seed=3):
    return vae.GumbelVAE(
        _encoder((3, 4)),
        _decoder((3, 4)),
        likelihood=NORMAL,
        beta=0.5,
        temperature=schedules.Linear(2.0, 0.5, steps=10),
        straight_through=True,
        prior_temperature=0.7,
        seed=seed,
    )


def _vq_vae(seed=3):
    networks = _encoder(3), _decoder(3)
    return vae.VQVAE(*networks, likelihood=NORMAL, decay=0.9, **CODEBOOK, seed=seed)


def _vq_gan(seed=3):
    return vae.VQGAN(
        _encoder(3),
        _decoder(3),
        _critic(SHAPE),
        _critic(SHAPE, 4, "features"),
        likelihood=NORMAL,
        feature_weight=0.5,
        adversarial_weight=2.0,
        objective="non_saturating",
        decay=0.9,
        **CODEBOOK,
        seed=seed,
    )


def _vq_vae_2(seed=3):
    sizes = dict(latent_dim=3, filters=4, residual_filters=2, blocks=1, stages=1)
    codes = dict(codebook_size=12, commitment_weight=0.5, decay=0.9, dead_after=2)
    networks = vq_vae_2_networks(SHAPE, **sizes)
    return vae.VQVAE2(**networks, likelihood=NORMAL, **codes, seed=seed)


def _conditional_vq_vae(seed=3):
    sizes = dict(samples=32, latent_dim=3, filters=(4, 5))
    return vae.ConditionalVQVAE(
        wave_encoder(normalization="instance", **sizes),
        wave_decoder(classes=3, dilations=(1, 2), **sizes),
        speakers=3,
        spectral_weight=2.0,
        likelihood=NORMAL,
        codebook_size=6,
        commitment_weight=0.5,
        decay=0.9,
        dead_after=2,
        seed=seed,
    )


def _convert(model):
    waveforms = np.sin(np.arange(96.0).reshape(3, 32, 1) * np.arange(1, 4)[:, None, None])
    return model.convert(waveforms, np.arange(3))


TINY = {
    "BetaTCVAE": Tiny(_beta_tc, sample),
    "CapacityVAE": Tiny(_capacity, sample),
    "ConditionalVAE": Tiny(_conditional, sample),
    "ConditionalVQVAE": Tiny(_conditional_vq_vae, _convert),
    "DBVAE": Tiny(_db, sample),
    "DIPVAE": Tiny(_dip, sample),
    "FactorVAE": Tiny(_factor, sample),
    "GumbelVAE": Tiny(_gumbel, reconstruct),
    "PixelVAE": Tiny(_pixel, sample),
    "PriorSampledModel": Tiny(_prior_sampled, sample),
    "StyleIdentityVAE": Tiny(_style_identity, reconstruct),
    "IWAE": Tiny(_iwae, sample),
    "M2": Tiny(_m2, sample),
    "TableVAE": Tiny(_table_vae, cells),
    "VAE": Tiny(_vae, sample),
    "VQGAN": Tiny(_vq_gan, reconstruct, draws=False),
    "VQVAE": Tiny(_vq_vae, reconstruct, draws=False),
    "VQVAE2": Tiny(_vq_vae_2, reconstruct),
}
