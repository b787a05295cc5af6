"""Weights that are the inverse of a density which is known."""

import numpy as np
import pytest

from keras_gen.data import inverse_density


def test_of_known_frequencies_it_is_the_inverse_density_with_the_smoothing():
    latents = np.repeat([0.0, 3.0, -1.0], [6, 3, 1])[:, None]
    weights = inverse_density(latents, alpha=0.2, bin_width=0.5)
    density = np.repeat([0.6, 0.3, 0.1], [6, 3, 1]) / 0.5
    expected = 1 / (density + 0.2)
    np.testing.assert_allclose(weights, expected / expected.mean(), rtol=1e-12)
    # Without smoothing every place is drawn equally often.
    weights = inverse_density(latents, alpha=0.0)
    np.testing.assert_allclose([weights[:6].sum(), weights[6:9].sum(), weights[9]], 10 / 3)


def test_of_several_latents_it_is_the_product(rng):
    latents = rng.normal(size=(50, 3))
    factors = [inverse_density(column[:, None], 0.1) for column in latents.T]
    expected = np.prod(factors, axis=0)
    weights = inverse_density(latents, 0.1)
    np.testing.assert_allclose(weights, expected / expected.mean(), rtol=1e-10)


def test_of_normal_latents_it_undoes_the_normal_density(rng):
    latents = rng.normal(size=(200_000, 1))
    weights = inverse_density(latents, alpha=0.05, bin_width=0.05)
    density = np.exp(-(latents[:, 0] ** 2) / 2) / np.sqrt(2 * np.pi)
    expected = 1 / (density + 0.05)
    np.testing.assert_allclose(weights, expected / expected.mean(), rtol=0.1)


def test_much_smoothing_draws_all_alike_and_less_draws_the_rare_more(rng):
    latents = rng.normal(size=(100, 4))
    np.testing.assert_allclose(inverse_density(latents, alpha=1e9), 1, atol=1e-6)
    largest = [inverse_density(latents, alpha).max() for alpha in (1.0, 0.1, 0.01, 0.0)]
    assert largest == sorted(largest) and largest[-1] > 2 * largest[0]


def test_a_latent_that_hardly_varies_about_0_changes_nothing(rng):
    used, idle = rng.normal(size=(100, 1)), rng.normal(0, 0.01, (100, 1))
    both = np.concatenate([used, idle], axis=1)
    np.testing.assert_allclose(inverse_density(both, 0.1), inverse_density(used, 0.1))


def test_many_latents_stay_in_the_range_of_floats(rng):
    weights = inverse_density(rng.normal(size=(20, 5000)), alpha=0.0)
    assert np.isfinite(weights).all() and weights.mean() == pytest.approx(1)


@pytest.mark.parametrize(
    ("latents", "options", "sentence"),
    [
        (np.zeros([0, 2]), {}, r"shape \[0, 2\] cannot be weighed"),
        (np.zeros(3), {}, r"shape \[3\] cannot be weighed"),
        ([[np.nan]], {}, r"expected finite numbers \[n, latents\]"),
        (np.zeros([1, 1]), dict(alpha=np.inf), "alpha is inf: expected a finite number that is"),
        (np.zeros([1, 1]), dict(bin_width=-1), "bin_width is -1: expected a finite number above 0"),
    ],
)
def test_what_cannot_be_is_refused(latents, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        inverse_density(latents, **dict(alpha=0.1) | options)
