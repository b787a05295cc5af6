"""A linear encoder and decoder, of which tests know every number."""

import keras

DATA, LATENTS = 3, 2


def random_weights(rng):
    """A, a of the mean; C, c of the log variance; W, b of the decoder."""
    shapes = [(DATA, LATENTS), (LATENTS,), (DATA, LATENTS), (LATENTS,), (LATENTS, DATA), (DATA,)]
    return [rng.normal(0, 0.5, shape) for shape in shapes]


def networks(weights, dtype=None):
    """Encoder to mean and log variance, and decoder, of these weights."""
    x, z = keras.Input((DATA,)), keras.Input((LATENTS,))
    mean, log_variance = (keras.layers.Dense(LATENTS, dtype=dtype)(x) for _ in range(2))
    encoder = keras.Model(x, [mean, log_variance])
    decoder = keras.Model(z, keras.layers.Dense(DATA, dtype=dtype)(z))
    encoder.set_weights(weights[:4])
    decoder.set_weights(weights[4:])
    return encoder, decoder
