"""The baselines of image models against what each of them says by itself."""

import numpy as np
import pytest

from keras_gen.metrics import bits_per_dimension
from keras_gen.workshop.baselines import (
    PixelHistograms,
    ProbabilisticPCA,
    compressed_bits,
    image_baselines,
)


def test_each_in_bits_per_dimension(rng):
    ramps = np.arange(0, 64, 4, dtype="uint8").reshape(4, 4, 1)
    train, held_out, test = (
        ramps
        + rng.integers(0, 100, (n, 1, 1, 1), "uint8")
        + rng.integers(0, 5, (n, 4, 4, 1), "uint8")
        for n in (40, 10, 6)
    )
    found = image_baselines(train, held_out, test, (1, 2, 8, 99), latents=4)
    pca = ProbabilisticPCA(train, 8)
    nats = {
        "pca_latents": -pca.tuned(held_out, [4]).log_prob(test),
        "pca": -pca.tuned(held_out, [1, 2, 8]).log_prob(test),
        "pixels": -PixelHistograms(train).log_prob(test),
    }
    for name, each in nats.items():
        expected = bits_per_dimension(each.mean(), 16, "uniform")
        assert found.pop(f"bits_{name}") == pytest.approx(expected)
    for name in ("png", "webp"):
        expected = compressed_bits(test, name.upper()).mean() / 16
        assert found.pop(f"bits_{name}") == pytest.approx(expected)
    assert found == {"pca_components": pca.components} and pca.components in (1, 2, 8)
    assert "bits_pca_latents" not in image_baselines(train, held_out, test, (2,))


def test_fewer_images_than_components_and_latents(rng):
    train, held_out, test = (rng.integers(0, 256, (n, 4, 4, 1), "uint8") for n in (4, 3, 3))
    found = image_baselines(train, held_out, test, (10, 100), latents=128)
    assert found["pca_components"] == 4 and all(np.isfinite(list(found.values())))
    # As many latents as there are images are as many components.
    assert found["bits_pca_latents"] == pytest.approx(found["bits_pca"])
