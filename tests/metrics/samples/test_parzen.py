import numpy as np
import pytest
from scipy.stats import norm

from keras_gen.metrics import best_parzen_std, parzen_log_likelihood


def images(rng, n):
    return rng.integers(0, 256, (n, 3, 2, 1), dtype=np.uint8)


def test_it_is_the_density_of_the_mixture(rng):
    samples, x, std = images(rng, 7), images(rng, 5), 0.3
    pixels = [a.reshape(len(a), -1) / 255.0 for a in (samples, x)]
    densities = norm.pdf(pixels[1][:, None], pixels[0][None], std).prod(axis=-1).mean(axis=1)
    for batch_size in (100, 2):
        found = parzen_log_likelihood(samples, x, std, batch_size)
        np.testing.assert_allclose(found, np.log(densities), rtol=1e-8)


def test_a_copy_of_all_samples_changes_nothing_and_far_images_do_not_vanish(rng):
    samples, x = images(rng, 4), images(rng, 3)
    twice = np.concatenate([samples, samples])
    found = parzen_log_likelihood(samples, x, 0.01)
    np.testing.assert_allclose(parzen_log_likelihood(twice, x, 0.01), found)
    # exp of these is 0 in float64.
    assert (found < -800).all() and np.isfinite(found).all()


def test_the_width_is_chosen_by_held_out_images(rng):
    """Of one sample, the best width is the root of the mean squared distance of a pixel."""
    sample = np.full((1, 8, 8, 1), 128, np.uint8)
    noise = np.rint(128 + 255 * 0.2 * rng.standard_normal((200, 8, 8, 1))).clip(0, 255)
    assert best_parzen_std(sample, noise.astype("uint8")) == pytest.approx(10 ** (-1 + 3 / 9))
