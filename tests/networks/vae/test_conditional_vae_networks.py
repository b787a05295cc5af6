"""The networks of a conditional VAE with image conditions."""

import numpy as np
import tensorflow as tf

from keras_gen.networks import conditional_vae_networks, start_at_mean


def test_each_network_sees_what_the_paper_says():
    sizes = dict(latent_dim=2, hidden=(4,), params_per_value=2)
    networks = conditional_vae_networks((2, 2, 3), (2, 2, 1), **sizes)
    shapes = {
        name: ([t.shape[1:] for t in one.inputs], [t.shape[1:] for t in one.outputs])
        for name, one in networks.items()
    }
    assert shapes == {
        "encoder": ([(2, 2, 3), (2, 2, 1)], [(2,), (2,)]),
        "decoder": ([(2,), (2, 2, 1)], [(2, 2, 6)]),
        "prior": ([(2, 2, 1)], [(2,), (2,)]),
    }
    x, latents = tf.random.normal([5, 2, 2, 3], seed=1), tf.random.normal([5, 2], seed=2)
    ones, zeros = tf.ones([5, 2, 2, 1]), tf.zeros([5, 2, 2, 1])
    for name, first in {"encoder": [x], "decoder": [latents], "prior": []}.items():
        found = [networks[name]([*first, c] if first else c) for c in (ones, zeros)]
        assert np.abs(found[0][0] - found[1][0]).max() > 1e-3, name


def test_it_can_start_at_the_mean(rng):
    networks = conditional_vae_networks((2, 2, 3), (2, 2, 1), latent_dim=2, hidden=(4,))
    images = rng.binomial(1, 0.3, (50, 2, 2, 3))
    start_at_mean(networks["decoder"], images)
    logits = networks["decoder"]([tf.zeros([1, 2]), tf.zeros([1, 2, 2, 1])])
    np.testing.assert_allclose(tf.sigmoid(logits)[0], images.mean(axis=0), rtol=1e-3)
