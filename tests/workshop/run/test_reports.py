"""Numbers under the names that recipes publish."""

from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from keras_gen.metrics import generation_report
from keras_gen.workshop.run import LEAST_COMPARED
from keras_gen.workshop.run.reports import (
    code_use_report,
    density_bits,
    fit_bernoulli_mixture,
    plot_by_count,
    psnr_report,
    with_standard_error,
)
from keras_gen.workshop.visualize import line_plot


def test_the_mixture_has_one_of_the_sizes_of_the_settings():
    said = []
    settings = SimpleNamespace(templates="1 4", seed=0)
    run = SimpleNamespace(settings=settings, say=said.append)
    # Two kinds of examples, which one template cannot tell apart.
    examples = np.repeat(np.arange(20)[:, None] % 2, 6, axis=1)
    mixture = fit_bernoulli_mixture(run, examples)
    assert len(mixture.weights) == 4
    assert said == ["fitting Bernoulli mixtures; numbers of components to try: 1, 4"]


@pytest.mark.parametrize("count", [3, 7])
def test_the_mixture_of_few_examples_has_fewer_templates(count):
    settings = SimpleNamespace(templates="100 300", seed=0)
    run = SimpleNamespace(settings=settings, say=lambda text: None)
    mixture = fit_bernoulli_mixture(run, np.eye(count, 6))
    assert len(mixture.weights) == count * 5 // 6


@pytest.mark.parametrize(("count", "works"), [(LEAST_COMPARED - 1, False), (LEAST_COMPARED, True)])
def test_as_many_images_are_needed_as_settings_say(rng, count, works):
    features = {"features": rng.normal(size=(count, 3))}
    with nullcontext() if works else pytest.raises(ValueError, match="at least 10 of each"):
        generation_report(features, features)


def test_psnr_is_the_mean_over_images():
    images = np.zeros([2, 4, 4, 3], "uint8")
    found = images.copy()
    found[0] += 255
    found[1] += 51
    # A fifth of the range is 10 log10(25) decibels.
    report = psnr_report({"model": found}, images)
    np.testing.assert_allclose(report["psnr_model"], (0 + 10 * np.log10(25)) / 2, rtol=1e-6)


def test_codes_in_use():
    report = code_use_report({"top": np.array([4, 4, 0]), "bottom": np.array([8, 0, 0])})
    assert report["top_in_use"] == 2 and report["bottom_in_use"] == 1
    np.testing.assert_allclose([report["top_perplexity"], report["bottom_perplexity"]], [2, 1])


def test_a_plot_by_count_has_the_lines_in_words_and_their_spreads():
    metrics = {"gan_50": 1.0, "gan_200": 2.0, "svc_50": 3.0, "svc_200": 4.0}
    metrics |= {"gan_50_deviation": 0.1, "gan_200_deviation": 0.2}
    names = {"gan": "digits of a GAN", "svc": "support vectors"}
    lines = {"digits of a GAN": ([50, 200], [1.0, 2.0]), "support vectors": ([50, 200], [3.0, 4.0])}
    spreads = {"digits of a GAN": [0.1, 0.2]}
    expected = line_plot(lines, "labels", "accuracy", log_x=True, spreads=spreads)
    found = plot_by_count(metrics, names, (50, 200), "deviation", "accuracy")
    np.testing.assert_array_equal(found, expected)


def test_bits_of_a_density_count_the_values_of_an_image():
    """A uniform density of 256 levels takes 8 bits for each of its values."""

    class Uniform:
        def log_prob(self, images):
            return np.full(len(images), -4 * np.log(256), "float32")

    images = np.zeros([3, 2, 2, 1], "uint8")
    found = density_bits(Uniform(), images)
    assert found == {"bits_nll": pytest.approx(8), "bits_nll_standard_error": 0}
    assert density_bits(Uniform(), images, dimensions=2)["bits_nll"] == pytest.approx(16)


def test_a_mean_stands_beside_its_standard_error():
    found = with_standard_error("kl_flow", np.array([1.0, 3.0, 1.0, 3.0]))
    assert found == {"kl_flow": 2.0, "kl_flow_standard_error": 0.5}
