"""Large images, tile by tile."""

from types import MappingProxyType

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import uniform_filter1d

from keras_gen.serving.export import export, load
from keras_gen.serving.tiles import SMALLEST, Tiled, _measure, in_tiles_of_one_size


class Halving:
    """A network that halves the size twice, doubles it again and looks 13 pixels far."""

    def __init__(self):
        keras.utils.set_random_seed(1)
        convolution = dict(padding="same", activation="leaky_relu")
        self.network = keras.Sequential(
            [
                keras.Input([None, None, 3]),
                keras.layers.Conv2D(8, 3, strides=2, **convolution),
                keras.layers.Conv2D(8, 3, strides=2, **convolution),
                keras.layers.Conv2D(8, 3, **convolution),
                keras.layers.UpSampling2D(4),
                keras.layers.Conv2D(3, 3, padding="same", activation="tanh"),
            ]
        )
        self.networks = MappingProxyType({"network": self.network})

    def run(self, images):
        outputs = self.network(tf.cast(images, tf.float32) / 127.5 - 1)
        return {"images": tf.cast(tf.round(127.5 * (outputs + 1)), tf.uint8)}

    def signatures(self):
        return {"run": (self.run, [tf.TensorSpec([None, None, None, 3], tf.uint8, "images")])}


class Recorder:
    """A function that notes the shapes it is given."""

    def __init__(self, function):
        self.function, self.shapes = function, []

    def __call__(self, image):
        self.shapes.append(image.shape)
        return self.function(image)


def normalize(image):
    """What instance normalization does: it depends on the whole image."""
    deviation = image.std((0, 1)) + 1
    return np.clip(128 + 40 * (image - image.mean((0, 1))) / deviation, 0, 255).astype(np.uint8)


def box(radius):
    """A local network: the mean over squares, with mirrored borders."""

    def blur(image):
        size = 2 * radius + 1
        values = uniform_filter1d(image.astype(float), size, axis=0)
        return np.rint(uniform_filter1d(values, size, axis=1)).astype(np.uint8)

    return blur


@pytest.fixture(scope="module")
def halving(tmp_path_factory):
    exported = load(export(Halving(), tmp_path_factory.mktemp("exports"), "halving"))
    return lambda image: exported("run", images=image[None])["output_images"][0]


@pytest.mark.parametrize("size", [(448, 612), (130, 900), (521, 300)])
def test_tiles_of_a_local_network_equal_the_whole(rng, halving, size):
    """Also at the borders, and for any size that the network takes."""
    image = rng.integers(0, 256, [*(side // 4 * 4 for side in size), 3], np.uint8)
    network, tiles, said = Recorder(halving), [], []

    def bar(items):
        tiles.extend(items)
        return items

    output = Tiled(network, SMALLEST, said.append)(image, bar)
    assert np.abs(output.astype(int) - halving(image)).max() <= 1
    assert output.std() > 1 and len(tiles) > 3 and not said
    assert max(height * width for height, width, _ in network.shapes) <= SMALLEST**2


@pytest.mark.parametrize("radius", [0, 1, 6, 50])
def test_how_far_a_network_looks(radius):
    scale, reach = _measure(box(radius), 3)
    assert scale == 1 and radius - 1 - radius // 5 <= reach <= radius


def test_a_network_with_strides_is_cut_where_it_is(halving):
    scale, reach = _measure(halving, 3)
    assert scale == 1 and 4 <= reach <= 13


@pytest.mark.parametrize("channels", [1, 3])
def test_tiles_of_a_normalizing_network_show_no_seam(channels):
    """A ramp whose contrast changes: no step as hard cuts would make, and nearly the whole."""
    rows, columns = np.mgrid[:520, :700]
    ramp = 60 + columns / 7 + 30 * np.sin(rows / 60) * (columns > 350) * (columns - 350) / 350
    image = np.repeat(ramp[..., None], channels, axis=-1).astype(np.uint8)
    network, said = Recorder(normalize), []
    tiled = Tiled(network, SMALLEST, said.append)
    output, whole = tiled(image).astype(int), normalize(image).astype(int)
    step, usual = (
        max(np.abs(np.diff(x, axis=axis)).max() for axis in (0, 1)) for x in (output, whole)
    )
    assert step <= 2 * usual + 1
    assert output.shape == whole.shape and np.abs(output - whole).mean() < 0.5
    assert len(said) == 1 and "depends on the whole image" in said[0] and "--tile 0" in said[0]
    assert max(height * width for height, width, _ in network.shapes) <= SMALLEST**2
    tiled(image)
    assert len(said) == 1


def test_a_network_that_enlarges(rng):
    image = rng.integers(0, 256, [300, 500, 3], np.uint8)

    def double(image):
        return box(1)(image).repeat(2, 0).repeat(2, 1)

    np.testing.assert_array_equal(Tiled(double, SMALLEST)(image), double(image))
    enlarged = Tiled(lambda image: normalize(image).repeat(2, 0).repeat(2, 1), SMALLEST)(image)
    assert enlarged.shape == (600, 1000, 3)


@pytest.mark.parametrize("size", [(64, 48), (65, 48), (200, 131)])
def test_tiles_of_one_size_cover_an_image_and_fade(rng, size):
    image = rng.integers(100, 104, [*size, 3], np.uint8)
    recorder = Recorder(lambda piece: piece.repeat(2, 0).repeat(2, 1))
    enlarged = in_tiles_of_one_size(recorder, image, 64, 48)
    np.testing.assert_array_equal(enlarged, image.repeat(2, 0).repeat(2, 1))
    assert set(recorder.shapes) == {(64, 48, 3)}


def test_tiles_of_one_size_fade_into_each_other():
    """No step as hard cuts would make: brightnesses 40 levels apart, over 16 rows or more."""
    levels = iter([0, 40, 80, 120])
    image = np.zeros([200, 48, 1], np.uint8)
    faded = in_tiles_of_one_size(lambda piece: piece + np.uint8(next(levels)), image, 64, 48)
    steps = np.diff(faded[:, 0, 0].astype(int))
    assert steps.min() >= 0 and steps.max() <= 3 and steps.sum() == 120


@pytest.mark.parametrize(
    "tile, size, network",
    [
        (0, (600, 700), normalize),  # never cut
        (SMALLEST, (SMALLEST, SMALLEST), normalize),  # no larger than a tile
        (SMALLEST, (SMALLEST // 2, 2 * SMALLEST), normalize),
        (SMALLEST, (600, 700), lambda image: image[: len(image) // 2]),  # no multiple of the size
    ],
)
def test_what_stays_whole(rng, tile, size, network):
    image = rng.integers(0, 256, [*size, 3], np.uint8)
    recorder = Recorder(network)
    np.testing.assert_array_equal(Tiled(recorder, tile)(image), network(image))
    assert recorder.shapes[-1] == image.shape


def test_refusals(rng):
    with pytest.raises(ValueError, match="tile is 255: expected 0 or at least 256 pixels"):
        Tiled(normalize, 255)
    image = rng.integers(0, 256, [600, 700, 3], np.uint8)
    with pytest.raises(
        ValueError, match=r"for a network whose outputs depend on inputs up to \d+ pixels away"
    ):
        Tiled(box(120), SMALLEST)(image)
    with pytest.raises(ValueError, match="image is float32"):
        Tiled(lambda x: normalize(x), SMALLEST)(image.astype(np.float32))
