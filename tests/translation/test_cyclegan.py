"""CycleGAN's eq. (3) and sec. 5.2 against numpy, for networks that are single 1x1 convolutions."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from all_tiny import TINY
from keras_gen.networks import patch_discriminator, resnet_generator
from keras_gen.networks.blocks import smooth_chroma
from keras_gen.serving.export import export, load, load_weights
from keras_gen.translation import CycleGAN
from keras_gen.translation.translator import any_size
from shared import losses_of, with_sgd

LAMBDA, IDENTITY = 7.0, 0.25
SHAPE = (2, 2, 3)
# Each player is a linear map of the 3 channels of a pixel: a kernel [3, outputs] and a bias.
NAMES = dict(generator_xy="G", generator_yx="F", discriminator_x="X", discriminator_y="Y")


def random_weights(rng):
    """Kernels and biases of G, F, D_X and D_Y."""
    return {
        name: [rng.normal(0, 0.4, (3, outputs)), rng.normal(0, 0.2, outputs)]
        for name, outputs in dict(G=3, F=3, X=1, Y=1).items()
    }


def cyclegan(weights, rates=(0.0, 0.0), **options):
    """The model with these weights, and SGD of these rates for generators and discriminators."""
    networks = {}
    for argument, name in NAMES.items():
        kernel, bias = weights[name]
        convolution = keras.layers.Conv2D(len(bias), 1)
        networks[argument] = keras.Sequential([keras.Input(SHAPE), convolution])
        convolution.set_weights([kernel[None, None], bias])
    options = dict(cycle_weight=LAMBDA, identity_weight=IDENTITY, pool_size=0) | options
    model = CycleGAN(**networks, **options)
    return with_sgd(model, *rates, run_eagerly=True)


def photos(rng, n=2):
    return rng.uniform(-1, 1, (n, *SHAPE)).astype("float32")


def mapped(weights, name, images):
    kernel, bias = weights[name]
    return images @ kernel + bias


def generator_losses(weights, x, y, identity=IDENTITY):
    """The generators' losses, by the names they are reported under."""
    fake_y, fake_x = mapped(weights, "G", x), mapped(weights, "F", y)
    # E[(D_Y(G(x)) - 1)^2] + E[(D_X(F(y)) - 1)^2]: sec. 4.
    fooling = np.mean((mapped(weights, "Y", fake_y) - 1) ** 2)
    fooling += np.mean((mapped(weights, "X", fake_x) - 1) ** 2)
    # E|F(G(x)) - x| + E|G(F(y)) - y|: eq. (2).
    cycle = np.mean(np.abs(mapped(weights, "F", fake_y) - x))
    cycle += np.mean(np.abs(mapped(weights, "G", fake_x) - y))
    # E|G(y) - y| + E|F(x) - x|: sec. 5.2.
    same = np.mean(np.abs(mapped(weights, "G", y) - y))
    same += np.mean(np.abs(mapped(weights, "F", x) - x))
    same = same if identity else 0.0
    total = fooling + LAMBDA * cycle + LAMBDA * identity * same
    return dict(g_loss=total, adversarial_loss=fooling, cycle_loss=cycle, identity_loss=same)


def discriminator_loss(weights, x, y, shown_x, shown_y):
    """Half of E[(D(real) - 1)^2] + E[D(shown)^2] for both: sec. 4 and 7.1."""
    loss = 0.0
    for name, real, shown in (("X", x, shown_x), ("Y", y, shown_y)):
        loss += np.mean((mapped(weights, name, real) - 1) ** 2)
        loss += np.mean(mapped(weights, name, shown) ** 2)
    return loss / 2


def slopes(loss, weights, names):
    """Derivatives of `loss(weights)` by the weights of some networks, by differences."""
    found, small = {}, 1e-6
    for name in names:
        found[name] = [np.zeros_like(array) for array in weights[name]]
        for array, slope in zip(weights[name], found[name], strict=True):
            for place in np.ndindex(array.shape):
                kept, ends = array[place], []
                for moved in (kept + small, kept - small):
                    array[place] = moved
                    ends.append(loss(weights))
                array[place], slope[place] = kept, (ends[0] - ends[1]) / (2 * small)
    return found


def assert_losses(logs, expected):
    assert set(logs) == set(expected)
    for name, value in expected.items():
        assert logs[name] == pytest.approx(value, rel=1e-5), name


@pytest.mark.parametrize("identity", [IDENTITY, 0.0])
def test_terms_of_the_losses(rng, identity):
    weights = random_weights(rng)
    model = cyclegan(weights, identity_weight=identity)
    x, y = photos(rng), photos(rng)
    expected = generator_losses(weights, x, y, identity) | {
        "d_loss": discriminator_loss(
            weights, x, y, mapped(weights, "F", y), mapped(weights, "G", x)
        )
    }
    for training in (False, True):
        assert_losses(losses_of(model, x, y, training=training), expected)


def test_a_step_follows_the_gradients(rng):
    weights, rate = random_weights(rng), 0.1
    model = cyclegan(weights, rates=(rate, rate))
    x, y = photos(rng), photos(rng)
    fakes = mapped(weights, "F", y), mapped(weights, "G", x)
    found = slopes(lambda w: generator_losses(w, x, y)["g_loss"], weights, "GF")
    # The discriminators see what the generators made before their step.
    found |= slopes(lambda w: discriminator_loss(w, x, y, *fakes), weights, "XY")
    losses_of(model, x, y, training=True)
    for argument, name in NAMES.items():
        kernel, bias = getattr(model, argument).get_weights()
        for new, old, slope in zip([kernel[0, 0], bias], weights[name], found[name], strict=True):
            np.testing.assert_allclose(new, old - rate * slope, atol=1e-5, err_msg=name)
            assert np.abs(slope).max() > 0.01


def test_histories_feed_the_discriminators_in_training_only(rng):
    """The loss depends on whether each history showed the new image or the one that it kept."""
    weights = random_weights(rng)
    model = cyclegan(weights, pool_size=1)
    kept, seen = None, []
    for _ in range(16):
        x, y = photos(rng, 1), photos(rng, 1)
        fakes = mapped(weights, "F", y), mapped(weights, "G", x)
        fresh = discriminator_loss(weights, x, y, *fakes)
        stored = [pool.images.numpy() for pool in (model.pool_x, model.pool_y)]
        assert losses_of(model, x, y)["d_loss"] == pytest.approx(fresh, rel=1e-5)
        np.testing.assert_array_equal([model.pool_x.images, model.pool_y.images], stored)
        found = losses_of(model, x, y, training=True)["d_loss"]
        if kept is None:  # While the histories fill, images pass through.
            assert found == pytest.approx(fresh, rel=1e-5)
            kept = fakes
            continue
        possible = {
            (old_x, old_y): discriminator_loss(
                weights, x, y, (kept if old_x else fakes)[0], (kept if old_y else fakes)[1]
            )
            for old_x, old_y in itertools.product([False, True], repeat=2)
        }
        (shown,) = (old for old, loss in possible.items() if found == pytest.approx(loss, rel=1e-5))
        seen.append(shown)
        # What was shown out of the history was exchanged for the new image.
        kept = [(fakes if old else kept)[place] for place, old in enumerate(shown)]
    for exchanged in zip(*seen, strict=True):
        assert 2 < sum(exchanged) < 13
    assert any(old_x != old_y for old_x, old_y in seen)


def test_two_domains_of_one_name():
    with pytest.raises(ValueError, match=r"domains is \('a', 'a'\): expected two different names"):
        cyclegan(random_weights(np.random.default_rng(0)), domains=("a", "a"))


@pytest.mark.parametrize("height,width", [(1, 1), (3, 8), (7, 9), (8, 12), (13, 2)])
def test_pads_by_mirroring_to_sizes_the_generators_take(height, width):
    seen = []

    def network(images, training):
        seen.append(images)
        return images

    network.input_shape = (None, None, None, 3)
    images = tf.random.uniform([2, height, width, 3])
    np.testing.assert_array_equal(any_size(network, images, training=False), images)
    rows, columns = seen[0].shape[1:3]
    assert min(rows, columns) >= 8 and rows % 4 == 0 and columns % 4 == 0
    assert rows - height < 8 and columns - width < 8
    padding = [(0, 0), (0, rows - height), (0, columns - width), (0, 0)]
    np.testing.assert_array_equal(seen[0], np.pad(images, padding, "symmetric"))


@pytest.mark.thorough
@pytest.mark.parametrize(
    "option, message",
    [
        ({"batch_size": 0}, "batch_size is 0: expected an integer of at least 1"),
        ({"batch_size": 2.5}, "batch_size is 2.5: expected an integer of at least 1"),
        ({"seed": -1}, "seed is -1: expected an integer from 0 to 2147483647"),
        ({"seed": 1.5}, "seed is 1.5: expected an integer from 0 to 2147483647"),
        ({"direction": ""}, "direction is '': expected one of photo_to_monet, monet_to_photo"),
        (
            {"direction": ["photo_to_monet"]},
            r"direction is \['photo_to_monet'\]: expected a string",
        ),
    ],
)
def test_numbers_of_translations(option, message):
    with pytest.raises((TypeError, ValueError), match=message):
        TINY["CycleGAN"].build(0).translate(np.zeros((1, 9, 7, 3), "uint8"), **option)


@pytest.mark.thorough
def test_one_direction_is_exported_alone(rng, tmp_path):
    model, other = (CycleGAN.for_images((8, 8, 3), filters=2, blocks=1) for _ in range(2))
    path = export(model, tmp_path, "one_way", signatures=["y_to_x"])
    served = load(path)
    assert set(served.inputs) == {"y_to_x", "y_to_x_bytes", "serving_default"}
    assert list(served.metadata["networks"]) == ["generator_yx"]
    images = rng.integers(0, 256, (2, 12, 8, 3), dtype="uint8")
    expected = model.translate(images, "y_to_x")
    found = served("y_to_x", images=images)["output_images"]
    assert np.abs(found.astype(int) - expected).max() <= 1
    # Another model takes what is there, and keeps the rest.
    kept = other.translate(images, "x_to_y")
    load_weights(other, path)
    np.testing.assert_array_equal(other.translate(images, "y_to_x"), expected)
    np.testing.assert_array_equal(other.translate(images, "x_to_y"), kept)


def linear(taken, made, activation="tanh"):
    convolution = keras.layers.Conv2D(made, 1, activation=activation)
    return keras.Sequential([keras.Input((8, 8, taken)), convolution])


def test_domains_of_different_channels(rng):
    """Gray and color: the cycle is learned, each domain has its own channels."""
    networks = [linear(1, 3), linear(3, 1), linear(1, 1, None), linear(3, 1, None)]
    model = CycleGAN(*networks, identity_weight=0, domains=("gray", "color"))
    model.compile(run_eagerly=True)
    gray, color = (rng.integers(0, 256, (2, 8, 8, channels), "uint8") for channels in (1, 3))
    assert np.isfinite(losses_of(model, gray, color, training=True)["cycle_loss"])
    assert model.translate(gray, "gray_to_color").shape == color.shape
    assert model.translate(color, "color_to_gray").shape == gray.shape
    assert model.edges["x"].shape[-1] == 1 and model.training_edges["y"].shape[-1] == 3
    with pytest.raises(
        ValueError, match=r"identity_weight is 0\.5, .* X have 1 .*: expected a weight"
    ):
        CycleGAN(*networks)
    networks[3] = linear(1, 1, None)
    with pytest.raises(
        ValueError, match=r"discriminator_y accepts y of shape .* 1\): expected .* 3\)"
    ):
        CycleGAN(*networks, identity_weight=0)


@pytest.mark.thorough
def test_a_margin_is_put_around_images_and_cut_off(rng):
    model = CycleGAN.for_images((16, 16, 3), filters=2, blocks=1, margin=8)
    images = rng.integers(0, 256, (2, 12, 20, 3), dtype="uint8")
    around = np.pad(images, [(0, 0), (8, 8), (8, 8), (0, 0)], mode="symmetric")
    without = CycleGAN(*model.networks.values())
    expected = without.translate(around)[:, 8:-8, 8:-8]
    np.testing.assert_array_equal(model.translate(images), expected)
    served = model.signatures()["x_to_y"][0](tf.constant(images))["images"]
    np.testing.assert_array_equal(served, expected)


@pytest.mark.thorough
def test_colors_are_smoothed_in_translations_and_not_in_training(rng):
    plain = CycleGAN.for_images((16, 16, 3), filters=2, blocks=1)
    smooth = CycleGAN(*plain.networks.values(), smooth_colors=True)
    images = rng.integers(0, 256, (2, 16, 20, 3), "uint8")
    expected = smooth_chroma(plain.translate(images / 127.5 - 1)).numpy()
    translated = smooth.translate(images)
    np.testing.assert_allclose(translated, (expected + 1) * 127.5, atol=0.51)
    assert not np.array_equal(translated, plain.translate(images))
    x = rng.uniform(-1, 1, (2, 16, 16, 3)).astype("float32")
    plain.compile(), smooth.compile()
    assert losses_of(smooth, x, x) == losses_of(plain, x, x)
    gray = [resnet_generator((None, None, 1), 2, 1) for _ in range(2)]
    of_gray = [patch_discriminator((16, 16, 1), 2, 1) for _ in range(2)]
    with pytest.raises(ValueError, match=r"1 channels: expected 3 \(RGB\)"):
        CycleGAN(*gray, *of_gray, smooth_colors=True)


@pytest.mark.thorough
def test_a_margin_needs_generators_of_any_size():
    model = CycleGAN.for_images((16, 16, 3), filters=2, blocks=1)
    fixed = [resnet_generator((16, 16, 3), filters=2, blocks=1) for _ in range(2)]
    discriminators = model.discriminator_x, model.discriminator_y
    assert CycleGAN(*fixed, *discriminators).margin == 0
    with pytest.raises(
        ValueError, match=r"^margin is 8, but .* accepts only images of size \(16, 16\)"
    ):
        CycleGAN(*fixed, *discriminators, margin=8)
