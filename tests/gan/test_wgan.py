"""WGAN's algorithm 1 by hand, and its critic compared with the exact distance."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import make_strategy
from keras_gen.gan import WGAN
from keras_gen.networks import dirac_networks
from shared import with_sgd

CLIP, RATE = 0.25, 0.05


def wgan(strategy=None, psi=0.25, **options):
    """G makes theta = 1 of everything, and the critic is psi x."""
    with (strategy or tf.distribute.get_strategy()).scope():
        model = WGAN(*dirac_networks(1.0, psi), data="vectors", **{"clip": CLIP, **options})
        return with_sgd(model, RATE, RATE)


def weight(network):
    return network.get_weights()[0].item()


@pytest.mark.parametrize("replicas", [1, pytest.param(2, marks=pytest.mark.thorough)])
def test_a_step_is_algorithm_1(replicas):
    """The critic's slope rises by rate (real - theta) in each of 3 updates, and is clipped."""
    x = np.array([3.0, 3.5, 1.5, 2.0, 2.5, 2.5], "float32")[:, None]
    psi, strategy = 0.05, make_strategy("mirrored") if replicas == 2 else None
    model = wgan(strategy, psi, discriminator_steps=3)
    # With replicas of 3 examples each, an update takes every third of a replica's.
    history = model.fit(x, batch_size=6, shuffle=False, verbose=0).history
    for part in ([0, 3], [1, 4], [2, 5]):
        distance = psi * (x[part].mean() - 1.0)
        psi = np.clip(psi + RATE * (x[part].mean() - 1.0), -CLIP, CLIP)
    assert weight(model.discriminator) == pytest.approx(CLIP) == psi
    assert history["wasserstein_distance"][-1] == pytest.approx(distance, rel=1e-5)
    assert history["d_loss"][-1] == pytest.approx(-distance, rel=1e-5)
    assert weight(model.generator) == pytest.approx(1.0 + RATE * CLIP, rel=1e-6)


def test_without_clipping_weights_grow():
    model = wgan(clip=None, discriminator_steps=1)
    model.train_step(tf.constant([[9.0], [9.0]]))
    assert weight(model.discriminator) == pytest.approx(0.25 + RATE * 8.0)


def test_files_of_earlier_versions_called_the_discriminator_critic():
    config = wgan(discriminator_steps=3).get_config()
    config["critic"] = config.pop("discriminator")
    config["critic_steps"] = config.pop("discriminator_steps")
    model = WGAN.from_config(config)
    assert model.discriminator_steps == 3 and model.clip == CLIP


def test_a_penalty_in_place_of_clipping():
    model = wgan(clip=None, discriminator_steps=1, penalty="r1")
    logs = model.test_step(tf.constant([[2.0], [4.0]]))
    assert set(logs) == {"d_loss", "g_loss", "penalty_loss", "wasserstein_distance"}
    assert float(logs["wasserstein_distance"]) == pytest.approx(0.25 * 2)
    assert float(logs["d_loss"]) == pytest.approx(-0.25 * 2 + 5 * 0.25**2)
