"""GAN networks: layers, initial values, and what each input reaches."""

from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from keras_gen.layers import SelfAttention, SpectralNormalization
from keras_gen.networks import (
    big_gan_discriminator,
    big_gan_generator,
    dcgan_discriminator,
    dcgan_generator,
    dcgan_without,
    maxout_discriminator,
    moco_gan_generator,
    progressive_discriminator,
    progressive_generator,
    style_discriminator,
    style_generator,
    style_mapping,
    video_discriminator,
)
from keras_gen.networks.gan.big_gan_networks import _conditional_batch_norm, _down
from keras_gen.networks.gan.progressive_networks import channels, faded, resized
from keras_gen.networks.gan.style_networks import STYLINGS, _doubled
from tiny import fresh_names

SHAPE, CLASSES = (16, 16, 3), 3
SIZES = dict(classes=CLASSES, filters=8, attention=8)


@pytest.fixture(scope="module")
def generator():
    return big_gan_generator(SHAPE, latent_dim=6, embedding_dim=4, **SIZES)


@pytest.fixture(scope="module")
def discriminator():
    return big_gan_discriminator(SHAPE, **SIZES)


@pytest.mark.thorough
def test_shapes_and_pieces(generator, discriminator):
    images = generator([np.zeros([2, 6]), np.array([0, 2])]).numpy()
    assert images.shape == (2, *SHAPE) and np.abs(images).max() <= 1
    logits = discriminator([images, np.array([0, 2])])
    assert logits.shape == (2, 1) and logits.dtype == tf.float32
    for network in (generator, discriminator):
        (attention,) = [layer for layer in network.layers if isinstance(layer, SelfAttention)]
        assert attention.output.shape == (None, 8, 8, 8)
        kernels = [layer for layer in network.layers if hasattr(layer, "kernel")]
        assert not kernels  # all of them are inside of
        assert sum(isinstance(layer, SpectralNormalization) for layer in network.layers) > 9
    without = big_gan_generator(SHAPE, CLASSES, latent_dim=6, filters=8, attention=None)
    assert not [layer for layer in without.layers if isinstance(layer, SelfAttention)]


@pytest.mark.thorough
def test_each_block_has_its_own_latents_and_all_have_the_class(generator):
    """The first two latents form the map, the next two belong to the first block, and so on."""
    start = [np.full([1, 6], 0.5, "float32"), np.array([0])]
    norms = [n for n in generator.layers if type(n).__name__ == "BatchNormalization"]
    assert len(norms) == 5 and [n.center for n in norms] == [False] * 4 + [True]
    watch = keras.Model(generator.input, [n.input for n in norms])
    before = [value.numpy() for value in watch(start)]

    def changed(latent):
        latents = start[0].copy()
        latents[0, latent] += 1
        after = watch([latents, start[1]])
        return [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]

    assert changed(0) == [True] * 5
    assert changed(2) == [False, True, True, True, True]
    assert changed(5) == [False, False, False, True, True]
    of_class = watch([start[0], np.array([1])])
    moved = [not np.array_equal(a, b) for a, b in zip(before, of_class, strict=True)]
    assert moved == [False, True, True, True, True]


def test_a_condition_scales_and_shifts_normalized_maps(rng):
    fresh_names()
    maps, condition = keras.Input((2, 2, 3)), keras.Input((4,))
    network = keras.Model([maps, condition], _conditional_batch_norm(maps, condition))
    x, c = rng.normal(size=(5, 2, 2, 3)), rng.normal(size=(5, 4))
    names = ("spectral_normalization", "spectral_normalization_1")
    gain, bias = (network.get_layer(name)(c).numpy()[:, None, None] for name in names)
    expected = x / np.sqrt(1 + 1e-5) * (1 + gain) + bias  # by the moments before a training
    np.testing.assert_allclose(network([x, c]), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("first", [True, False])
def test_a_block_of_big_gans_discriminator_adds_means_of_squares(first, rng):
    fresh_names()
    maps = keras.Input((4, 4, 2))
    network = keras.Model(maps, _down(maps, 3, first))
    x = rng.normal(size=(2, 4, 4, 2)).astype("float32")
    names = ("spectral_normalization_1", "spectral_normalization", "spectral_normalization_2")
    one, other, shortcut = map(network.get_layer, names)
    y = other(np.maximum(one(x if first else np.maximum(x, 0)), 0))
    expected = resized(y, 2) + shortcut(resized(x, 2))
    np.testing.assert_allclose(network(x), expected, rtol=1e-4, atol=1e-5)


def test_logits_of_big_gan_are_of_sums_over_places(discriminator, rng):
    images = rng.uniform(-1, 1, (2, *SHAPE)).astype("float32")
    relus = [layer for layer in discriminator.layers if isinstance(layer, keras.layers.ReLU)]
    (dot,) = [layer for layer in discriminator.layers if isinstance(layer, keras.layers.Dot)]
    outputs = [relus[-1].output, dot.input[0]]
    maps, features = keras.Model(discriminator.inputs, outputs)([images, np.zeros(2)])
    np.testing.assert_allclose(features, np.sum(maps, axis=(1, 2)), rtol=1e-4)


def test_the_class_reaches_the_logit(discriminator, rng):
    images = rng.uniform(-1, 1, (4, *SHAPE)).astype("float32")
    logits = [discriminator([images, np.full(4, k)]).numpy() for k in range(CLASSES)]
    assert len({value.tobytes() for value in logits}) == CLASSES


def test_squares_of_powers_of_two_have_the_layers_of_the_paper_alone():
    block = ["Conv2DTranspose", "BatchNormalization", "ReLU"]
    last = ["Conv2DTranspose", "Activation"]
    generator = dcgan_generator((16, 16, 1), latent_dim=100, filters=2)
    kinds = [type(layer).__name__ for layer in generator.layers]
    assert kinds == ["InputLayer", "Reshape", *block, *block, *last]
    kernels = [w.shape for w in generator.weights if w.name == "kernel"]
    assert kernels == [(4, 4, 4, 100), (4, 4, 2, 4), (4, 4, 1, 2)]
    block = ["Conv2D", "BatchNormalization", "LeakyReLU"]
    discriminator = dcgan_discriminator((16, 16, 1), filters=2)
    kinds = [type(layer).__name__ for layer in discriminator.layers]
    ends = ["Conv2D", "Flatten", "Reshape"]
    assert kinds == ["InputLayer", "Conv2D", "LeakyReLU", *block, *ends]
    kernels = [w.shape for w in discriminator.weights if w.name == "kernel"]
    assert kernels == [(4, 4, 1, 2), (4, 4, 2, 4), (4, 4, 4, 1)]


@pytest.mark.thorough
@pytest.mark.parametrize("build", [dcgan_generator, dcgan_discriminator])
def test_initial_values(build):
    """Sec. 3.1: normal with standard deviation 0.02, different in every layer."""
    kernels = [w.numpy() for w in build((32, 32, 1), filters=16).weights if w.name == "kernel"]
    for kernel in kernels:
        deviation = 0.02 / np.sqrt(2 * kernel.size)
        assert abs(kernel.std() - 0.02) < 5 * deviation
        assert abs(kernel.mean()) < 5 * 0.02 / np.sqrt(kernel.size)
    firsts = [kernel.ravel()[0] for kernel in kernels]
    assert len(set(firsts)) == len(firsts)


def test_real_and_generated_images_are_normalized_by_their_own_batch():
    discriminator = dcgan_discriminator((16, 16, 1), filters=4)
    a, b = tf.random.normal([4, 16, 16, 1]), 3 + tf.random.normal([4, 16, 16, 1])
    apart = discriminator(a, training=True)
    together = discriminator(tf.concat([a, b], 0), training=True)[:4]
    assert np.abs(apart - together).max() > 1e-4


WITHOUT = dict(image_shape=(16, 16, 1), latent_dim=5, filters=4)
FEW = tf.constant(np.random.default_rng(0).normal(size=(6, 5)), tf.float32)


def kinds(network):
    """The kinds of its layers, an activation by its function, and how many it has of each."""

    def kind(layer):
        activation = getattr(layer, "activation", None)
        named = isinstance(layer, keras.layers.Activation)
        return activation.__name__ if named else type(layer).__name__

    return Counter(map(kind, network.layers))


def test_without_nothing_it_is_dcgan():
    keras.utils.set_random_seed(0)
    found = dcgan_without(**WITHOUT)
    keras.utils.set_random_seed(0)
    expected = [
        dcgan_generator(**WITHOUT),
        dcgan_discriminator(WITHOUT["image_shape"], WITHOUT["filters"]),
    ]
    for own, other in zip(found, expected, strict=True):
        weights = zip(own.get_weights(), other.get_weights(), strict=True)
        assert all(np.array_equal(a, b) for a, b in weights)
    images = expected[0](FEW, training=True)
    np.testing.assert_allclose(found[0](FEW, training=True), images, atol=1e-6)
    logits = expected[1](images, training=True)
    np.testing.assert_allclose(found[1](images, training=True), logits, atol=1e-6)


# What the generator and the discriminator lose, and what they gain.
CHANGES = {
    "strides": ({"Conv2DTranspose": -2, "NearestEnlargement": 2, "Conv2D": 2}, {"MaxPooling2D": 2}),
    "normalization": ({"BatchNormalization": -2}, {"BatchNormalization": -1}),
    "convolutions": (
        {"Dense": 1, "BatchNormalization": 1, "relu": 1},
        {"Conv2D": -1, "Dense": 2, "BatchNormalization": 1, "LeakyReLU": 1},
    ),
    "relu": ({"relu": -2, "tanh": 2}, {}),
    "tanh": ({"tanh": -1, "linear": 1}, {}),
    "leaky_relu": ({}, {}),
}


@pytest.mark.thorough
@pytest.mark.parametrize("guideline", CHANGES)
def test_one_guideline_is_missing(guideline):
    for whole, without, change in zip(
        dcgan_without(**WITHOUT),
        dcgan_without(guideline, **WITHOUT, hidden=7),
        CHANGES[guideline],
        strict=True,
    ):
        assert without.output_shape == whole.output_shape
        found = Counter(kinds(without))
        found.subtract(kinds(whole))
        assert {kind: n for kind, n in found.items() if n} == change


def test_slopes_and_strides():
    def of_kind(network, kind):
        return [layer for layer in network.layers if isinstance(layer, kind)]

    _, whole = dcgan_without(**WITHOUT)
    _, relu = dcgan_without("leaky_relu", **WITHOUT)
    slopes = [
        {layer.negative_slope for layer in of_kind(network, keras.layers.LeakyReLU)}
        for network in (whole, relu)
    ]
    assert slopes == [{0.2}, {0.0}]
    generator, pooled = dcgan_without("strides", **WITHOUT)
    for layer in of_kind(generator, keras.layers.Conv2D) + of_kind(pooled, keras.layers.Conv2D):
        if not isinstance(layer, keras.layers.Conv2DTranspose):
            assert layer.strides == (1, 1)


def test_without_normalization_all_layers_have_biases():
    for network in dcgan_without("normalization", **WITHOUT):
        for layer in network.layers:
            assert not layer.weights or layer.use_bias


def test_without_tanh_images_may_leave_the_range():
    generator, _ = dcgan_without("tanh", **WITHOUT)
    generator.weights[-1].assign([3.0])
    assert generator(FEW).numpy().max() > 1


def test_kernels_are_initialized_as_asked():
    generator, _ = dcgan_without("normalization", **WITHOUT, initializer="he_normal")
    usual, _ = dcgan_without("normalization", **WITHOUT)
    assert generator.weights[0].numpy().std() > 5 * usual.weights[0].numpy().std()


def test_units_are_the_largest_of_their_pieces(rng):
    network = maxout_discriminator((4, 4, 1), hidden=(3, 2), pieces=5)
    weights = [rng.normal(size=v.shape) for v in network.trainable_variables]
    for variable, value in zip(network.trainable_variables, weights, strict=True):
        variable.assign(value)
    x = images = rng.uniform(-1, 1, [6, 4, 4, 1]).astype("float32")
    x = (x.reshape(6, -1) + 1) / 2
    for kernel, bias in (weights[:2], weights[2:4]):
        x = (x @ kernel + bias).reshape(6, -1, 5).max(axis=-1)
    np.testing.assert_allclose(network(images), x @ weights[4] + weights[5], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("dropout", "same"), [(0.0, True), (0.5, False)])
def test_units_drop_in_training_only(rng, dropout, same):
    network = maxout_discriminator((4, 4, 1), hidden=(8,), dropout=dropout)
    images = rng.uniform(-1, 1, [6, 4, 4, 1]).astype("float32")
    assert np.array_equal(network(images), network(images))
    assert np.allclose(network(images), network(images, training=True)) == same


def test_pixels_that_drop_are_black():
    network = maxout_discriminator((4, 4, 1), hidden=())
    for value, same in ((-1.0, True), (1.0, False)):
        images = np.full([6, 4, 4, 1], value, "float32")
        assert np.allclose(network(images), network(images, training=True)) == same


VIDEO, CONTENT, MOTION = (6, 8, 8, 1), 3, 2
LATENTS = CONTENT + 7 * MOTION


@pytest.fixture(scope="module")
def video_generator():
    return moco_gan_generator(VIDEO, CONTENT, MOTION, filters=4)


@pytest.mark.thorough
def test_motion_is_causal_and_content_everywhere(video_generator, rng):
    latents = rng.normal(size=(1, LATENTS)).astype("float32")
    video = video_generator(latents).numpy()
    assert video.shape == (1, *VIDEO) and np.abs(video).max() <= 1

    def changed(place):
        other = latents.copy()
        other[:, place] += 1
        difference = video_generator(other).numpy() != video
        return difference[0].any(axis=(1, 2, 3)).tolist()

    assert changed(0) == [True] * 6 and changed(CONTENT) == [True] * 6
    for frame in range(6):  # whose input starts to count there
        place = CONTENT + MOTION * (1 + frame)
        assert changed(place) == [time >= frame for time in range(6)]


def test_motion_is_that_of_a_gru(video_generator, rng):
    latents = rng.normal(size=(2, LATENTS)).astype("float32")
    inside = [video_generator.get_layer(name).get_weights() for name in ("inputs", "recurrent")]
    inside = [[w, rng.normal(size=b.shape)] for w, b in inside]  # biases start at 0
    for name, weights in zip(("inputs", "recurrent"), inside, strict=True):
        video_generator.get_layer(name).set_weights(weights)
    (kernel, bias), (recurrent, recurrent_bias) = inside
    gru = keras.layers.GRU(MOTION, return_sequences=True)
    gru.build((2, 6, MOTION))
    gru.set_weights([kernel, recurrent, np.stack([bias, recurrent_bias])])
    start, noise = latents[:, CONTENT : CONTENT + MOTION], latents[:, CONTENT + MOTION :]
    states = gru(noise.reshape(2, 6, MOTION), initial_state=start).numpy()
    draw = video_generator.get_layer("frame")
    frames = [draw(np.concatenate([latents[:, :CONTENT], states[:, t]], 1)) for t in range(6)]
    np.testing.assert_allclose(video_generator(latents), np.stack(frames, axis=1), atol=1e-4)


def test_the_discriminator_sees_all_frames(rng):
    network = video_discriminator((7, 16, 16, 1), filters=3, normalization=None)
    videos = tf.constant(rng.normal(size=(2, 7, 16, 16, 1)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(videos)
        logits = network(videos)
    assert logits.shape == (2,)
    assert np.abs(tape.gradient(logits, videos)).max(axis=(2, 3, 4)).min() > 0
    kinds = [type(layer).__name__ for layer in video_discriminator((7, 16, 16, 1), 3).layers]
    assert kinds.count("BatchNormalization") == 1 and kinds.count("Conv3D") == 3


IMAGE, GROWING = (16, 16, 3), dict(filters=3, width=32)


def test_channels_of_each_size():
    """Table 2: 512 channels up to 32x32, then 256, 128, 64, 32, 16 at 1024x1024."""
    found = {side: channels(side, 512, 16_384) for side in (4, 8, 16, 32, 64, 128, 256, 512, 1024)}
    assert list(found.values()) == [512, 512, 512, 512, 256, 128, 64, 32, 16]


@pytest.mark.thorough
def test_outputs_fade_in_from_the_size_before(rng):
    generator = progressive_generator(IMAGE, latent_dim=6, **GROWING)
    latents = rng.normal(size=(4, 6)).astype("float32")
    start, middle, end = (generator([latents, np.full(4, f)]) for f in (0.0, 0.25, 1.0))
    np.testing.assert_array_equal(start[0], end[0])  # 4x4 knows no fade
    for level in (1, 2):
        np.testing.assert_array_equal(start[level], resized(end[level - 1], 4 << level))
        mixed = 0.75 * start[level] + 0.25 * end[level]
        np.testing.assert_allclose(middle[level], mixed, rtol=1e-4, atol=1e-5)


def test_a_discriminator_of_what_has_not_faded_in_sees_half_the_size(rng):
    discriminator = progressive_discriminator(IMAGE, **GROWING)
    images = rng.normal(size=(4, 8, 8, 3)).astype("float32")
    small, large = (keras.Model(discriminator.inputs, discriminator.outputs[n]) for n in (0, 1))
    before = large([images, np.zeros(4)])
    expected = small([resized(images, 4), tf.ones(4)])
    np.testing.assert_allclose(before, expected, rtol=1e-4, atol=1e-5)
    assert np.abs(before - large([images, np.ones(4)])).max() > 1e-4


def test_latents_are_normalized(rng):
    generator = progressive_generator(IMAGE, latent_dim=6, **GROWING)
    latents, fade = rng.normal(size=(2, 6)).astype("float32"), np.ones(2)
    one, other = generator([latents, fade])[-1], generator([5 * latents, fade])[-1]
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_resized(rng):
    images = rng.normal(size=(2, 8, 8, 3)).astype("float32")
    np.testing.assert_array_equal(resized(images, 8), images)
    means = images.reshape(2, 2, 4, 2, 4, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(resized(images, 2), means, rtol=1e-5, atol=1e-6)
    large = resized(images, 16).numpy()
    assert large.shape == (2, 16, 16, 3)
    for row, column in ((0, 0), (1, 0), (0, 1), (1, 1)):
        np.testing.assert_array_equal(large[:, row::2, column::2], images)


def test_faded_is_exact_at_both_ends(rng):
    a, b = rng.normal(size=(2, 3, 2, 2, 1)).astype("float32")
    np.testing.assert_array_equal(faded(a, b, np.zeros(3, "float32")), a)
    np.testing.assert_array_equal(faded(a, b, np.ones(3, "float32")), b)


IMAGE, STYLED = (16, 16, 3), dict(filters=4, width=64)
both = pytest.mark.parametrize("styling", STYLINGS)


def test_the_mapping_sees_directions_alone(rng):
    mapping = style_mapping(latent_dim=6, style_dim=5, depth=3, rate=0.1)
    latents = rng.normal(size=(4, 6)).astype("float32")
    styles = mapping(latents)
    assert styles.shape == (4, 5) and np.std(styles) > 0.1
    np.testing.assert_allclose(mapping(3 * latents), styles, rtol=1e-4, atol=1e-5)
    assert mapping.count_params() == 5 * 7 + 2 * 5 * 6


@pytest.mark.thorough
@both
def test_every_style_and_strengths_of_noise_change_the_image(rng, styling):
    generator = style_generator(IMAGE, style_dim=5, styling=styling, **STYLED)
    styles, noise = (rng.normal(size=(1, *i.shape[1:])).astype("float32") for i in generator.inputs)
    plain = generator([styles, noise])
    np.testing.assert_array_equal(plain, generator([styles, -noise]))  # strengths are 0
    for layer in range(6):
        other = styles.copy()
        other[:, layer] += 1
        assert np.abs(generator([other, noise]) - plain).max() > 1e-4, layer
    for layer in generator.layers:
        if hasattr(layer, "strength"):
            layer.strength.assign(tf.ones_like(layer.strength.value))
    found = generator([styles, noise])
    first = 16 if styling == "modulated" else 0
    for begin, end in ((first, 32), (32, 96), (96, 160), (160, 416), (416, 672)):
        other = noise.copy()
        other[:, begin:end] += 1
        assert np.abs(generator([styles, other]) - found).max() > 1e-4, begin


def test_sizes_are_doubled_by_the_binomial_filter(rng):
    maps = rng.normal(size=(1, 4, 4, 1)).astype("float32")
    repeated = maps[0, :, :, 0].repeat(2, axis=0).repeat(2, axis=1)
    for axis in (0, 1):
        repeated = ndimage.convolve1d(repeated, [0.25, 0.5, 0.25], axis=axis, mode="constant")
    np.testing.assert_allclose(_doubled(maps)[0, :, :, 0], repeated, rtol=1e-5, atol=1e-6)


def test_residual_sums_keep_their_variance(rng):
    images = rng.normal(size=(16, 64, 64, 1)).astype("float32")
    network = style_discriminator((64, 64, 1), filters=32, width=10**6)
    sums = [layer.output for layer in network.layers if isinstance(layer, keras.layers.Add)]
    for values in keras.Model(network.inputs, sums)([images]):
        assert 0.05 < np.mean(np.square(values)) < 2.0
