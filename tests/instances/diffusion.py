"""Tiny models of paths from noise to data."""

from keras_gen.diffusion import (
    DDPM,
    EDM,
    ConditionalDDPM,
    CosinePath,
    FlowMatching,
    KarrasPath,
    LatentDiffusion,
    LinearPath,
    Reflow,
)
from keras_gen.networks import mlp_decoder, mlp_encoder, time_mlp
from keras_gen.vae import VAE
from tiny import Tiny

SIZES = dict(width=4, blocks=1, frequencies=0, activation="tanh")


def _ddpm(seed=3):
    path = LinearPath(first=0.01, last=0.4, steps=20)
    options = dict(prediction="example", chain_steps=3, variance="beta_tilde", data="vectors")
    return DDPM(time_mlp((3,), **SIZES), path, **options, seed=seed)


def _conditional(seed=3):
    network = time_mlp((3,), classes=3, **SIZES)
    options = dict(
        prediction="v", chain_steps=3, variance="beta_tilde", data="vectors", unlabeled=0.5
    )
    return ConditionalDDPM(network, 3, CosinePath(), **options, seed=seed)


def _flow_matching(seed=3):
    network = time_mlp((5,), **SIZES)
    return FlowMatching(network, CosinePath(0.01), pairing="optimal", data="vectors", seed=seed)


def _edm(seed=3):
    path = KarrasPath(0.01, 10.0, 5.0)
    options = dict(deviation=1.0, log_mean=-1.0, log_deviation=1.0, data="vectors")
    return EDM(time_mlp((3,), **SIZES), path, **options, seed=seed)


def _latent(seed=3):
    sizes = dict(latent_dim=3, hidden=(4,))
    encoder = mlp_encoder((4, 4, 1), heads=("mean", "log_variance"), **sizes)
    coder = VAE(encoder, mlp_decoder((4, 4, 1), **sizes))
    options = dict(scale=0.5, prediction="v", chain_steps=3, variance="beta_tilde")
    return LatentDiffusion(
        time_mlp((3,), **SIZES), coder, probability_path=CosinePath(), **options, seed=seed
    )


def _reflow(seed=3):
    return Reflow(time_mlp((5,), **SIZES), data="vectors", seed=seed)


def few_steps(model):
    """Three samples, by a solver that draws at each step."""
    return model.sample(3, seed=1, steps=3, solver="ancestral")


TINY = {
    "DDPM": Tiny(_ddpm, few_steps),
    "ConditionalDDPM": Tiny(_conditional, few_steps),
    "EDM": Tiny(_edm, few_steps),
    "FlowMatching": Tiny(_flow_matching, few_steps),
    "LatentDiffusion": Tiny(_latent, few_steps),
    "Reflow": Tiny(_reflow, few_steps),
}
