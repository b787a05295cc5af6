"""The losses of the paper, sizes, and the mean of turned and mirrored images."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses.feature_losses import feature_distance
from keras_gen.networks import sr_resnet
from keras_gen.translation import SRGAN
from shared import losses_of, softplus


def chain(shape, *layers):
    return keras.Sequential([keras.Input(shape), *layers])


def conv(outputs):
    return keras.layers.Conv2D(outputs, 3, padding="same")


def build(adversarial=True, features=True, factor=2, **options):
    """Networks of one convolution, which is not symmetric."""
    return SRGAN(
        chain((None, None, 3), conv(3), keras.layers.UpSampling2D(factor)),
        chain((16, 16, 3), conv(1)) if adversarial else None,
        chain((16, 16, 3), conv(2)) if features else None,
        **options,
    )


def pairs(rng, n=3, factor=2):
    return [rng.integers(0, 256, (n, 16 // f, 16 // f, 3), dtype="uint8") for f in (factor, 1)]


def scaled(levels):
    return levels / np.float32(127.5) - 1


@pytest.mark.parametrize(("distance", "function"), [("squared", np.square), ("absolute", np.abs)])
def test_equations_3_to_6(rng, distance, function):
    weights = dict(pixel_weight=0.5, feature_weight=0.3, adversarial_weight=0.1)
    model = build(pixel_distance=distance, **weights)
    model.compile()
    small, large = pairs(rng)
    enlarged = model(scaled(small)).numpy()
    of_fake, of_real = (model.discriminator(x).numpy() for x in (enlarged, scaled(large)))
    losses = losses_of(model, small, large)
    pixel = function(scaled(large) - enlarged).mean()
    maps = [model.feature_network(images) for images in (scaled(large), enlarged)]
    feature = feature_distance(*maps).numpy().mean()
    adversarial = softplus(-of_fake).mean()
    np.testing.assert_allclose(losses["pixel_loss"], pixel, rtol=1e-4)
    np.testing.assert_allclose(losses["feature_loss"], feature, rtol=1e-4)
    np.testing.assert_allclose(losses["adversarial_loss"], adversarial, rtol=1e-4)
    total = 0.5 * pixel + 0.3 * feature + 0.1 * adversarial
    np.testing.assert_allclose(losses["g_loss"], total, rtol=1e-4)
    expected = (softplus(-of_real) + softplus(of_fake)).mean()
    np.testing.assert_allclose(losses["d_loss"], expected, rtol=1e-4)


def test_the_feature_network_is_not_trained(rng):
    model = build(adversarial_weight=0.1)
    model.compile(run_eagerly=True)
    before = model.feature_network.get_weights()
    losses_of(model, *pairs(rng), training=True)
    for one, other in zip(before, model.feature_network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_pixels_alone_are_the_training_of_srresnet(rng):
    model = build(adversarial=False, features=False)
    model.compile(run_eagerly=True)
    losses = losses_of(model, *pairs(rng), training=True)
    assert losses.keys() == {"g_loss", "pixel_loss"} and losses["g_loss"] == losses["pixel_loss"]


@pytest.mark.thorough
@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("height, width", [(1, 9), (7, 12)])
def test_images_of_any_size_are_enlarged(rng, factor, height, width):
    model = SRGAN(sr_resnet(filters=4, blocks=1, factor=factor, edge_kernel=3))
    images = rng.integers(0, 256, (2, height, width, 3), dtype="uint8")
    enlarged = model.translate(images)
    assert enlarged.shape == (2, factor * height, factor * width, 3)
    served, _ = model.signatures()["enlarge"]
    assert np.abs(served(tf.constant(images))["images"].numpy().astype(int) - enlarged).max() <= 1


def test_a_network_that_adds_nothing_to_bicubic_enlarges_so(rng):
    generator = sr_resnet(filters=4, blocks=1, from_bicubic=True)
    last = [layer for layer in generator.layers if layer.name.startswith("conv2d")][-1]
    last.kernel.assign(tf.zeros_like(last.kernel))
    images = rng.integers(0, 256, (2, 9, 12, 3), dtype="uint8")
    expected = tf.image.resize(images, [36, 48], "bicubic")
    expected = np.clip(np.round(expected), 0, 255)
    assert np.abs(SRGAN(generator).translate(images) - expected).max() <= 1


def test_the_ensemble_of_turned_images_turns_with_them(rng):
    model = build(adversarial=False)
    images = rng.integers(0, 256, (1, 8, 8, 3), dtype="uint8")
    whole = model.self_ensemble(images)
    for turn in (lambda x: np.rot90(x, axes=(1, 2)), lambda x: x[:, :, ::-1]):
        found = model.self_ensemble(turn(images))
        assert np.abs(found.astype(int) - turn(whole)).max() <= 1
    assert whole.shape == (1, 16, 16, 3) and whole.dtype == np.uint8 and whole.std() > 9


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: build(pixel_distance="cubed"), "pixel_distance is 'cubed': expected one of"),
        (lambda: build(factor=3), "accepts 16x16 pixels: expected multiples of 3"),
        (lambda: sr_resnet(factor=5), "factor is 5: expected 2, 3, 4, or 8"),
    ],
)
def test_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_images_that_do_not_fit_each_other(rng):
    model = build(adversarial=False, features=False)
    model.compile(run_eagerly=True)
    small, large = pairs(rng)
    with pytest.raises(ValueError, match=r"returns images of 16x16 .* have 8x8: expected the same"):
        model.train_step((tf.constant(small), tf.constant(large[:, :8, :8])))
