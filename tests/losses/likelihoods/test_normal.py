import numpy as np
import pytest
from scipy import stats

from keras_gen.losses import Normal

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
