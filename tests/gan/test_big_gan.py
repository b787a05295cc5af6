"""BigGAN: the regularized loss, its optimizers, and truncation of what was built for images."""

import numpy as np
import pytest

from keras_gen.gan import BigGAN
from shared import losses_of


@pytest.fixture(scope="module")
def model():
    built = BigGAN.for_images((16, 16, 1), classes=3, latent_dim=6, filters=8)
    built.compile()
    return built


@pytest.fixture
def batch(rng):
    return rng.integers(0, 256, (4, 16, 16, 1), "uint8"), np.array([0, 1, 2, 1])


def products(network):
    """The sum of squared inner products of different filters, over all kernels."""
    total = 0.0
    for weight in network.trainable_variables:
        if weight.name == "kernel":
            filters = weight.numpy().reshape(-1, weight.shape[-1]).astype("float64")
            inner = filters.T @ filters
            total += (inner**2).sum() - (np.diag(inner) ** 2).sum()
    return total


def test_the_generators_filters_are_regularized(model, batch, rng):
    for weight in model.generator.trainable_variables:
        if weight.name == "kernel":
            weight.assign(weight + 0.1 * rng.normal(size=weight.shape))
    logs = losses_of(model, *batch)
    expected = products(model.generator)
    assert expected > 1 and logs["orthogonality_loss"] == pytest.approx(expected, rel=1e-4)
    terms = model.generator_terms(model.prepare_batch(batch))
    fooling = float(np.mean(terms["adversarial"]))
    total = float(np.mean(model.weighted(terms)))
    assert total == pytest.approx(fooling + 1e-4 * expected, rel=1e-5)
