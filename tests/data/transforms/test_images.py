"""Images that are blended, recolored, resized, masked, or moved, by hand."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gen.data import (
    Source,
    common_colors,
    edge_maps,
    moving_images,
    nearest_colors,
    on_photographs,
    pad_to,
    resize_cover,
)
from keras_gen.data.transforms.images import centered_square, random_regions
from keras_gen.data.transforms.moving_images import bounced


def test_pixels_are_absolute_differences():
    rng = np.random.default_rng(0)
    digits = rng.integers(0, 256, (5, 4, 4, 1), "uint8")
    photographs = rng.integers(0, 256, (3, 4, 4, 3), "uint8")
    found = on_photographs(digits, photographs, seed=1)
    assert found.dtype == np.uint8 and found.shape == (5, 4, 4, 3)
    for digit, image in zip(digits.astype(int), found, strict=True):
        possible = [np.abs(photo.astype(int) - digit) for photo in photographs]
        assert any(np.array_equal(image, each) for each in possible)
    black = np.zeros((40, 4, 4, 1), "uint8")
    drawn = on_photographs(black, photographs, seed=1)
    assert {image.tobytes() for image in drawn} == {photo.tobytes() for photo in photographs}
    np.testing.assert_array_equal(drawn, on_photographs(black, photographs, seed=1))


COLORS = np.array([[0, 0, 220], [0, 50, 250], [250, 80, 10], [190, 250, 60]], "uint8")


def test_colors_are_found_through_jpeg(rng):
    """The most common first; those of ringing and mixed ones are none."""
    labels = np.kron(rng.choice(4, [1, 8, 8], p=[0.5, 0.25, 0.15, 0.1]), np.ones([1, 8, 8], int))
    file = io.BytesIO()
    Image.fromarray(COLORS[labels[0]]).save(file, "JPEG", quality=78)
    maps = np.asarray(Image.open(file))[None]
    found = common_colors(maps, 4)
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - COLORS).max() <= 6
    assert (nearest_colors(maps, found) == labels).mean() > 0.95


def test_fewer_colors_than_asked_for():
    assert common_colors(COLORS[None, :2, None], 9).shape == (2, 3)


def test_the_nearest_color_by_hand():
    pixels = np.array([[[[0, 0, 9], [200, 9, 9]]]], "uint8")
    np.testing.assert_array_equal(nearest_colors(pixels, [[255, 0, 0], [0, 0, 0]]), [[[1, 0]]])


def square(brightness):
    images = np.zeros([2, 24, 24, 1], "uint8")
    images[0, 6:18, 6:18] = brightness
    return images


def test_the_outline_of_a_square_is_one_pixel_wide():
    edges = edge_maps(square(200))
    assert edges.shape == (2, 24, 24, 1) and edges.dtype == np.uint8
    assert set(np.unique(edges)) == {0, 255} and not edges[1].any()
    across = np.flatnonzero(edges[0, 12, :, 0])
    assert len(across) == 2 and abs(across - [5.5, 17.5]).max() <= 0.5
    np.testing.assert_array_equal(edges[0, :, 12, 0] > 0, edges[0, 12, :, 0] > 0)


def test_flat_edges_are_none_unless_they_lead_to_steep_ones():
    assert not edge_maps(square(30)).any()
    faded = square(200).astype(float)
    faded[0, 6:18] *= np.linspace(0.3, 1, 12)[:, None, None]
    edges = edge_maps(np.repeat(faded.astype("uint8"), 3, axis=-1))
    assert edges[0, 8, :, 0].sum() == 2 * 255
    assert not edge_maps((0.3 * square(200)).astype("uint8")).any()


def ramp(height, width):
    """An image whose two colors are its coordinates."""
    rows, columns = np.indices([height, width])
    return np.stack([rows, columns, 0 * rows], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("shape", [(200, 100), (100, 200), (100, 100), (7, 200), (101, 133)])
@pytest.mark.parametrize("size", [1, 32, 150])
def test_resize_cover_fills_a_square_of_any_size(shape, size):
    image = resize_cover(ramp(*shape), size)
    assert image.shape == (size, size, 3) and image.dtype == tf.uint8


def test_resize_cover_keeps_the_center_and_the_aspect():
    image = resize_cover(ramp(100, 200), 50).numpy()
    np.testing.assert_allclose(image[:, 25, 0], np.arange(50) * 2 + 0.5, atol=1)
    np.testing.assert_allclose(image[25, :, 1], 50 + np.arange(50) * 2 + 0.5, atol=1)


def test_resize_cover_averages_what_it_shrinks():
    checks = (np.indices([64, 64]).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None]
    small = resize_cover(checks, 8).numpy()
    np.testing.assert_allclose(small, 127.5, atol=3)  # without antialiasing: 0 or 255


def test_resize_cover_leaves_an_image_of_the_right_size_alone():
    image = np.random.default_rng(0).integers(0, 256, [9, 9, 3], np.uint8)
    np.testing.assert_array_equal(resize_cover(image, 9), image)


def test_pad_to_centers():
    padded = pad_to(np.ones([28, 28, 1], np.uint8), 32).numpy()
    assert padded.shape == (32, 32, 1) and padded.sum() == 28 * 28
    assert padded[2:30, 2:30].all()
    np.testing.assert_array_equal(pad_to(np.ones([3, 28, 28, 1], np.uint8), 32)[2], padded)


def noise(n, cells=8, seed=1):
    return tf.random.stateless_uniform([n, cells, cells, 1], [0, seed])


@pytest.mark.parametrize(("side", "margin"), [(16, 0), (16, 4), (16, 7), (9, 2)])
def test_the_square_lies_in_the_middle(side, margin):
    square = centered_square(side, margin)
    expected = np.pad(np.ones([side - 2 * margin] * 2), margin)[None, ..., None]
    assert square.dtype == tf.float32
    np.testing.assert_array_equal(square, expected)


@pytest.mark.parametrize("fraction", [0, 0.25, 0.5, 0.75])
def test_the_fraction_is_exact_in_every_image(fraction):
    masks = random_regions(noise(20), 32, fraction)
    assert masks.shape == (20, 32, 32, 1) and masks.dtype == tf.float32
    assert (masks.numpy().mean(axis=(1, 2, 3)) == fraction).all()


def test_same_noise_same_mask_and_each_image_its_own():
    masks = random_regions(noise(20), 32).numpy()
    np.testing.assert_array_equal(masks, random_regions(noise(20), 32))
    np.testing.assert_array_equal(masks[3:5], random_regions(noise(20)[3:5], 32))
    assert len({mask.tobytes() for mask in masks}) == 20


def test_regions_are_where_the_noise_is_lowest():
    """As many cells as pixels: nothing is enlarged."""
    values = np.random.default_rng(0).permutation(64).reshape(1, 8, 8, 1).astype("float32")
    np.testing.assert_array_equal(random_regions(tf.constant(values), 8), values < 16)


def test_fewer_cells_make_larger_regions():
    def equal_neighbors(cells):
        masks = random_regions(noise(50, cells), 32).numpy()
        return (masks[:, 1:] == masks[:, :-1]).mean()

    # Of independent pixels 10 in 16 agree.
    assert equal_neighbors(4) > equal_neighbors(8) > 0.85 > 0.7 > equal_neighbors(32) > 0.55


def test_every_place_is_missing_at_times():
    assert (random_regions(noise(200), 32).numpy().max(axis=0) == 1).all()


@pytest.mark.parametrize("jit", [False, True])
def test_graphs_draw_the_same(jit):
    function = tf.function(lambda values: random_regions(values, 20), jit_compile=jit)
    np.testing.assert_array_equal(function(noise(5)), random_regions(noise(5), 20))


SEED = tf.constant([3, 4], tf.int64)


@pytest.fixture
def images(rng):
    """Images without black pixels, so that a frame shows where they are."""
    return tf.constant(rng.integers(1, 256, (6, 5, 7, 2), "uint8"))


def corners(videos, height, width):
    """The upper left corner of what is not black in each frame, which must be of that size."""
    seen = videos.any(axis=-1)
    top, left = (seen.any(axis=axis).argmax(axis=-1) for axis in (3, 2))
    assert (seen.any(axis=3).sum(axis=-1) == height).all()
    assert (seen.any(axis=2).sum(axis=-1) == width).all()
    return np.stack([top, left], axis=-1)


def test_bounces():
    way = np.linspace(-9, 15, 97)
    place, direction, found = 0.0, 1.0, {0.0: 0.0}
    for step in range(1, 61):  # a ball that turns at 0 and 4
        place += 0.25 * direction
        direction = -direction if place in (0.0, 4.0) else direction
        found[0.25 * step] = place
    expected = [found[abs(w)] for w in way]  # the way back is its mirror image
    np.testing.assert_allclose(bounced(tf.constant(way), tf.constant(4.0, tf.float64)), expected)


def test_shows_the_whole_image_in_every_frame(images):
    videos = moving_images(20, 16, 1.0, 4.0)(images, SEED).numpy()
    assert videos.shape == (6, 20, 16, 16, 2) and videos.dtype == np.uint8
    places = corners(videos, 5, 7)
    for video, image, way in zip(videos, images.numpy(), places, strict=True):
        for frame, (top, left) in zip(video, way, strict=True):
            np.testing.assert_array_equal(frame[top : top + 5, left : left + 7], image)
    assert len(np.unique(places.reshape(6, -1), axis=0)) == 6
    assert len(np.unique(places[:, 0], axis=0)) > 3


@pytest.mark.parametrize("speed", [0.0, 1.5, 3.0])
def test_moves_at_its_speed(images, speed):
    videos = moving_images(9, 100, speed, speed)(images[:, :1, :1], SEED).numpy()
    steps = np.diff(corners(videos, 1, 1), axis=1)
    # Along a straight way the rounded steps add up to the whole way, but for bounces.
    straight = np.abs(np.diff(np.sign(steps), axis=1)).max(axis=(1, 2)) < 2
    assert straight.sum() > 3
    lengths = np.linalg.norm(steps.sum(axis=1), axis=-1)[straight]
    np.testing.assert_allclose(lengths, 8 * speed, atol=1.5)


@pytest.mark.thorough
def test_one_image_with_its_label(images):
    move = moving_images(4, 16)
    video, label = move((images[0], 3), SEED)
    assert video.shape == (4, 16, 16, 2) and label == 3
    stream = Source((images, np.arange(6))).stream(3, seed=1, augment_batch=move)
    videos, labels = next(iter(stream))
    assert videos.shape == (3, 4, 16, 16, 2) and labels.shape == (3,)
