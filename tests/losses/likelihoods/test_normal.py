import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_gen.losses import LogNormal, Normal

SHAPE = (3, 4, 4, 2)


def softplus(x):
    return np.logaddexp(0.0, x)


@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0])
def test_normal_against_scipy(rng, scale):
    mean, x = rng.normal(size=(2, *SHAPE))
    wanted = stats.norm(mean, scale).logpdf(x).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(Normal(scale).log_prob(mean, x), wanted, rtol=1e-4)


def test_normal_with_learned_scale_against_scipy(rng):
    likelihood = Normal(scale=None, minimum_scale=0.01)
    assert likelihood.params_per_value == 2 and Normal().params_per_value == 1
    mean, raw, x = rng.normal(size=(3, *SHAPE))
    wanted = stats.norm(mean, softplus(raw) + 0.01).logpdf(x).sum(axis=(1, 2, 3))
    params = np.concatenate([mean, raw], axis=-1)
    np.testing.assert_allclose(likelihood.log_prob(params, x), wanted, rtol=1e-4)
    np.testing.assert_allclose(likelihood.mean(params), mean, rtol=1e-6)


@pytest.mark.parametrize("scale", [0.1, 1.0, None])
def test_log_normal_against_scipy(rng, scale):
    likelihood = LogNormal(scale, minimum_scale=0.01)
    mean, raw = rng.normal(size=(2, *SHAPE))
    x = rng.exponential(size=SHAPE) + 0.01
    params = np.concatenate([mean, raw], axis=-1) if scale is None else mean
    wanted = stats.lognorm(scale or softplus(raw) + 0.01, scale=np.exp(mean))
    assert likelihood.params_per_value == params.shape[-1] // SHAPE[-1]
    np.testing.assert_allclose(
        likelihood.log_prob(params, x), wanted.logpdf(x).sum(axis=(1, 2, 3)), rtol=1e-4
    )
    np.testing.assert_allclose(likelihood.mean(params), wanted.mean(), rtol=1e-4)


def test_log_normal_samples_are_exponentials_of_normal_ones():
    params = tf.tile([[0.5, 0.2]], [1000, 1])
    draw = LogNormal().sample(params, [1, 2])
    np.testing.assert_allclose(
        np.log(draw), Normal(scale=None).sample(params, [1, 2]), rtol=1e-4, atol=1e-5
    )
    assert draw.shape == (1000, 1) and (draw.numpy() > 0).all()


def test_log_normal_has_finite_gradients_at_tiny_and_huge_values():
    params = tf.constant([[0.0, -1e4], [0.0, 1e4], [50.0, 0.0], [0.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(params)
        value = LogNormal().log_prob(params, tf.constant([[1e-30], [1e-30], [1e30], [1e30]]))
    assert np.isfinite(value).all() and np.isfinite(tape.gradient(value, params)).all()
