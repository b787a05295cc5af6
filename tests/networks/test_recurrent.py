"""LSTMs that read a series and write it."""

import numpy as np

from keras_gen.networks import recurrent_decoder, recurrent_encoder


def test_the_series_is_written_from_its_end(rng):
    codes = rng.normal(size=(3, 4)).astype("float32")
    short, long = (recurrent_decoder((steps, 2), latent_dim=4, units=5) for steps in (3, 8))
    long.set_weights(short.get_weights())
    # What is written first does not depend on how much follows.
    np.testing.assert_allclose(long(codes)[:, -3:], short(codes), atol=1e-6)
    assert np.abs(long(codes)[:, :3] - short(codes)).max() > 1e-3


def test_the_code_is_a_linear_function_of_the_last_state(rng):
    series = rng.normal(size=(3, 8, 2)).astype("float32")
    encoder = recurrent_encoder((8, 2), latent_dim=4, units=5)
    recurrent = encoder.layers[1]
    kernel, bias = encoder.layers[2].get_weights()
    np.testing.assert_allclose(encoder(series), recurrent(series) @ kernel + bias, atol=1e-6)
    # All is read: the first value changes the code.
    other = series.copy()
    other[:, 0] += 1
    assert np.abs(encoder(other) - encoder(series)).max() > 1e-4
