"""Eq. (2) to (5) in numpy, for networks that are single 1x1 convolutions, and what is shared."""

import keras
import numpy as np
import pytest

from keras_gen.networks import patch_discriminator, unit_networks
from keras_gen.translation import UNIT
from shared import losses_of, softplus

SHAPE = (2, 2, 3)
WEIGHTS = dict(
    adversarial_weight=2.0,
    kl_weight=0.2,
    likelihood_weight=3.0,
    cycle_kl_weight=0.3,
    cycle_weight=4.0,
)
NAMES = "encoder_x encoder_y shared_encoder shared_generator generator_x generator_y".split()


def linear(rng, outputs=3):
    """A network, and the same as a function of arrays."""
    kernel, bias = rng.normal(0, 0.4, (3, outputs)), rng.normal(0, 0.2, outputs)
    layer = keras.layers.Conv2D(outputs, 1)
    network = keras.Sequential([keras.Input(SHAPE), layer])
    layer.set_weights([kernel[None, None], bias])
    return network, lambda images: images @ kernel + bias


def test_terms_of_the_losses(rng):
    """The noise of the latents is the model's own, by its use."""
    networks, maps = {}, {}
    for name in NAMES:
        networks[name], maps[name] = linear(rng)
    for name in ("discriminator_x", "discriminator_y"):
        networks[name], maps[name] = linear(rng, 1)
    model = UNIT(**networks, **WEIGHTS)
    model.compile(run_eagerly=True)
    x, y = rng.uniform(-1, 1, (2, 4, *SHAPE)).astype("float32")
    noise = {use: model.normal(use, [4, *SHAPE]).numpy() for use in ("x", "y", "fake_x", "fake_y")}

    def encode(domain, images):
        return maps["shared_encoder"](maps[f"encoder_{domain}"](images))

    def decode(domain, z):
        return maps[f"generator_{domain}"](maps["shared_generator"](z))

    mean_x, mean_y = encode("x", x), encode("y", y)
    z_x, z_y = mean_x + noise["x"], mean_y + noise["y"]
    fake_y, fake_x = decode("y", z_x), decode("x", z_y)
    mean_fake_y, mean_fake_x = encode("y", fake_y), encode("x", fake_x)

    def kl(*means):
        return sum(0.5 * np.mean(mean**2) for mean in means)

    expected = {
        "adversarial_loss": softplus(-maps["discriminator_x"](fake_x)).mean()
        + softplus(-maps["discriminator_y"](fake_y)).mean(),
        "kl_loss": kl(mean_x, mean_y),
        "reconstruction_loss": np.abs(decode("x", z_x) - x).mean()
        + np.abs(decode("y", z_y) - y).mean(),
        "cycle_kl_loss": kl(mean_x, mean_y, mean_fake_x, mean_fake_y),
        "cycle_loss": np.abs(decode("x", mean_fake_y + noise["fake_y"]) - x).mean()
        + np.abs(decode("y", mean_fake_x + noise["fake_x"]) - y).mean(),
    }
    expected["g_loss"] = sum(
        weight * value for weight, value in zip(WEIGHTS.values(), expected.values(), strict=True)
    )
    expected["d_loss"] = 0.0
    for domain, real, fake in (("x", x, fake_x), ("y", y, fake_y)):
        logits = maps[f"discriminator_{domain}"]
        expected["d_loss"] += softplus(-logits(real)).mean() + softplus(logits(fake)).mean()
    found = losses_of(model, x, y)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-4), name
    there = model.translate(x, "x_to_y")
    np.testing.assert_allclose(there, decode("y", mean_x), rtol=1e-4, atol=1e-5)


@pytest.mark.thorough
def test_domains_share_the_middle_and_have_their_own_channels(rng):
    shapes = {"x": (16, 16, 3), "y": (16, 16, 1)}
    model = UNIT(
        **unit_networks((3, 1), filters=2, blocks=1),
        **{f"discriminator_{k}": patch_discriminator(v, 2, 1) for k, v in shapes.items()},
        domains=("color", "gray"),
    )
    model.compile()
    color, gray = (rng.integers(0, 256, (4, *shape), "uint8") for shape in shapes.values())
    logs = model.fit(color, gray, batch_size=2, verbose=0).history
    assert np.isfinite(logs["g_loss"]).all()
    assert model.translate(color[:, :13, :10], "color_to_gray").shape == (4, 13, 10, 1)
