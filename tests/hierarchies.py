"""Ladder VAE and BIVA of linear networks, and their factorizations written out in numpy."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_gen.losses import Normal
from keras_gen.vae import BIVA, LadderVAE

DATA, FEATURES, DIMS, SCALE = 3, 4, (2, 3, 2), 0.5


def linear(inputs, outputs):
    """A network whose outputs are linear in all of its inputs."""
    inputs = [keras.Input((size,)) for size in inputs]
    x = keras.layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]

    def dense(size):
        kernel, bias = (keras.initializers.RandomNormal(stddev=s) for s in (0.15, 0.5))
        return keras.layers.Dense(size, kernel_initializer=kernel, bias_initializer=bias)

    return keras.Model(inputs, [dense(size)(x) for size in outputs])


def ladder(dims=DIMS, **options):
    """Every network of its own sizes; the last of an upward pass has no features."""
    last = len(dims) - 1
    bottom_up = [
        linear([FEATURES if i else DATA], [*([FEATURES] if i < last else []), d, d])
        for i, d in enumerate(dims)
    ]
    top_down = [linear([above], [d, d]) for d, above in itertools.pairwise(dims)]
    networks = dict(bottom_up=bottom_up, top_down=top_down, decoder=linear([dims[0]], [DATA]))
    return LadderVAE(**networks, likelihood=Normal(scale=SCALE), **options)


def biva(dims=DIMS, **options):
    last = len(dims) - 1
    bottom_up = [
        linear([FEATURES, dims[i - 1]] if i else [DATA], [*([FEATURES] if i < last else []), d, d])
        for i, d in enumerate(dims)
    ]
    from_above = [[dims[i]] if i == last else [FEATURES, dims[i], dims[i]] for i in range(last + 1)]
    lateral = [linear([FEATURES, FEATURES], [d, d]) for d in dims[:-1]]
    top_down = [linear(from_above[i + 1], [FEATURES, d, d, d, d]) for i, d in enumerate(dims[:-1])]
    networks = dict(bottom_up=bottom_up, lateral=lateral, top_down=top_down)
    decoder = linear(from_above[0], [DATA])
    return BIVA(**networks, decoder=decoder, likelihood=Normal(scale=SCALE), **options)


BUILDERS = {"ladder": ladder, "biva": biva}
both = pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)


def outputs(network, *inputs):
    """What a linear network returns, in float64."""
    joined = np.concatenate(inputs, axis=-1)
    weights = [w.astype("float64") for w in network.get_weights()]
    return [joined @ w + b for w, b in zip(weights[::2], weights[1::2], strict=True)]


def log_normal(values, mean, log_variance):
    return stats.norm(mean, np.exp(log_variance / 2)).logpdf(values).sum(axis=-1)


def ladder_factors(model, x, z):
    """log q and log p of each variable of known latents: Sønderby et al. (2016)."""
    z = {name: part.numpy().astype("float64") for name, part in model.split(z).items()}
    depth, features, estimates = model.depth, x, []
    for network in model.bottom_up:
        *above, mean, log_variance = outputs(network, features)
        estimates.append((mean, log_variance))
        features = above[0] if above else None
    log_q, log_p = {}, {}
    top = f"z{depth}"
    log_q[top], log_p[top] = log_normal(z[top], *estimates[-1]), log_normal(z[top], 0.0, 0.0)
    for i in range(depth - 1, 0, -1):
        mean, log_variance = estimates[i - 1]
        mean_p, log_variance_p = outputs(model.top_down[i - 1], z[f"z{i + 1}"])
        a, b = np.exp(-log_variance), np.exp(-log_variance_p)
        mean_q = (a * mean + b * mean_p) / (a + b)
        log_q[f"z{i}"] = log_normal(z[f"z{i}"], mean_q, -np.log(a + b))
        log_p[f"z{i}"] = log_normal(z[f"z{i}"], mean_p, log_variance_p)
    (mean,) = outputs(model.decoder, z["z1"])
    return log_q, log_p, log_normal(x, mean, 2 * np.log(SCALE))


def biva_factors(model, x, z):
    """The same of BIVA: each factor of q and p conditioned on all that the paper says."""
    z = {name: part.numpy().astype("float64") for name, part in model.split(z).items()}
    depth, log_q, log_p = model.depth, {}, {}
    top, inputs, upwards = f"z{depth}", [x], []
    for i, network in enumerate(model.bottom_up, 1):
        name = top if i == depth else f"z{i}_bu"
        *features, mean, log_variance = outputs(network, *inputs)
        log_q[name] = log_normal(z[name], mean, log_variance)
        upwards.append(features)
        inputs = [*features, z[name]]
    log_p[top] = log_normal(z[top], 0.0, 0.0)
    inputs = [z[top]]
    for i in range(depth - 1, 0, -1):
        features, *parameters = outputs(model.top_down[i - 1], *inputs)
        names = [f"z{i}_bu", f"z{i}_td"]
        for name, prior in zip(names, (parameters[:2], parameters[2:]), strict=True):
            log_p[name] = log_normal(z[name], *prior)
        lateral = outputs(model.lateral[i - 1], *upwards[i - 1], features)
        log_q[names[1]] = log_normal(z[names[1]], *lateral)
        inputs = [features, *(z[name] for name in names)]
    (mean,) = outputs(model.decoder, *inputs)
    return log_q, log_p, log_normal(x, mean, 2 * np.log(SCALE))


FACTORS = {ladder: ladder_factors, biva: biva_factors}


def inferred_factors(build, model, x, seed=0):
    """Latents of a draw, and their factors by the direct evaluation."""
    step_noise = tf.constant(np.random.default_rng(seed).normal(size=(len(x), model.size)))
    step_noise = tf.cast(step_noise, tf.float32)
    drawn, _ = model.descend(step_noise, model.posterior(tf.constant(x), step_noise))
    z = model.as_vector(drawn)
    return drawn, z, FACTORS[build](model, x, z)
