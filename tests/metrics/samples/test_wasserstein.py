"""Earth mover's distances of sets whose distance is known."""

import keras
import numpy as np
import pytest
from scipy import ndimage

from keras_gen.gan import WGANGP
from keras_gen.metrics import (
    critic_distances,
    earth_movers_distance,
    mean_patch_distance,
    pyramid_distances,
)
from keras_gen.metrics.samples.wasserstein import _sliced, enlarged, laplacian_pyramid


def test_points_on_a_line_are_sorted(rng):
    a, b = rng.normal(size=(50, 1)), 2 * rng.normal(size=(50, 1)) + 1
    expected = np.abs(np.sort(a[:, 0]) - np.sort(b[:, 0])).mean()
    assert earth_movers_distance(a, b) == pytest.approx(expected)
    # Another number of points: each of 50 is two halves.
    assert earth_movers_distance(np.repeat(a, 2, axis=0), b) == pytest.approx(expected)


def test_moves_of_the_plane_are_the_shortest(rng):
    # No point has to go further than to the nearest, and every point of b is the nearest of one.
    a = np.stack(np.meshgrid(np.arange(6.0), np.arange(6.0)), axis=-1).reshape(-1, 2)
    lengths = rng.uniform(0, 0.4, size=36)
    angles = rng.uniform(0, 2 * np.pi, size=36)
    b = a + lengths[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert earth_movers_distance(a, b[rng.permutation(36)]) == pytest.approx(lengths.mean())
    # A shift moves the mean, than which no move can be shorter.
    assert earth_movers_distance(a, a + np.array([3.0, 4.0])) == pytest.approx(5.0)


@pytest.mark.thorough
@pytest.mark.parametrize("deviation", [1.0, 10.0])
def test_the_critics_estimate_and_the_distance(deviation):
    """Samples at (3, 4), a critic of slope 1 between them and points at 0; in standard units."""
    generator = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
    generator.set_weights([np.zeros((1, 2)), np.array([3.0, 4.0])])
    critic = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    critic.set_weights([-np.array([[0.6], [0.8]])])
    model = WGANGP(generator, critic, data="vectors", standardize=deviation != 1.0)
    still = keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0)
    model.compile(d_optimizer=still[0], g_optimizer=still[1])
    model.fit(deviation * np.float32([[1, 1], [-1, -1]]), verbose=0)
    found = critic_distances(model, np.zeros((4, 2), "float32"))
    assert found == pytest.approx({"critic": 5.0, "exact": 5.0}, rel=1e-5)


FEW = {"patches": 128, "directions": 64}


def textures(rng, n=12, side=64):
    """Gray clouds with detail of every scale, far from black and white."""
    noise = rng.normal(size=[n, side, side, 3])
    layers = [ndimage.gaussian_filter(noise, (0, scale, scale, 0)) for scale in (0, 1, 2)]
    images = 128 + sum(12 * layer / layer.std() for layer in layers)
    return np.clip(images, 40, 210).astype("uint8")


@pytest.fixture
def images(rng):
    return textures(rng)


def test_a_pyramid_adds_up_to_the_image(images):
    levels = laplacian_pyramid(images[0])
    assert [level.shape for level in levels] == [(64, 64, 3), (32, 32, 3), (16, 16, 3)]
    whole = levels.pop()
    while levels:
        whole = levels.pop() + enlarged(whole)
    np.testing.assert_allclose(whole, images[0], atol=1e-3)


def test_the_detail_of_flat_images_and_ramps_is_zero():
    flat = laplacian_pyramid(np.full([64, 64, 1], 200, "uint8"))
    for level, value in zip(flat, (0, 0, 200), strict=True):
        np.testing.assert_allclose(level, value, atol=1e-4)
    ramp = np.broadcast_to(np.arange(64)[:, None, None], [64, 64, 1])
    # A ramp ends at the border, beyond which the image is a mirror's.
    np.testing.assert_allclose(laplacian_pyramid(ramp)[0][8:-8], 0, atol=1e-4)
    np.testing.assert_allclose(laplacian_pyramid(ramp)[-1][2:-2, 0, 0], np.arange(64)[8:-8:4])


def test_a_point_is_enlarged_to_the_filter():
    point = np.zeros([4, 4, 1])
    point[2, 2] = 1
    line = np.array([1, 4, 6, 4, 1]) / 8
    expected = np.pad(np.outer(line, line), [(2, 1), (2, 1)])
    np.testing.assert_allclose(enlarged(point)[..., 0], expected)


@pytest.mark.parametrize("dimensions", [1, 4])
def test_a_translation_is_as_long_as_its_projections(rng, dimensions):
    points, shift = rng.normal(size=[50, dimensions]), rng.normal(size=dimensions)
    found = _sliced(points, points + shift, 100, np.random.default_rng(3))
    # Sorted numbers that are all moved by one are as far apart: |<shift, u>| along u.
    again = np.random.default_rng(3)
    units = [again.normal(size=[dimensions, count]).astype("float32") for count in (64, 36)]
    along = [np.abs(shift @ unit) / np.linalg.norm(unit, axis=0) for unit in units]
    assert found == pytest.approx(np.concatenate(along).mean(), rel=1e-5)
    if dimensions == 1:
        assert found == pytest.approx(abs(shift[0]), rel=1e-6)
    assert _sliced(points, points[::-1], 100, rng) == 0


@pytest.mark.thorough
def test_brightness_is_seen_by_the_coarsest_level_alone(images):
    same = pyramid_distances(images, images, normalize=False, **FEW)
    brighter = pyramid_distances(images + 20, images, normalize=False, **FEW)
    assert brighter[64] == pytest.approx(same[64], rel=1e-3)
    assert brighter[32] == pytest.approx(same[32], rel=1e-3)
    # All values of a patch are moved by 20 levels: |t| sqrt(2 / (pi d)) with |t| = 20 sqrt(d).
    deviation = np.std([laplacian_pyramid(image)[-1] for image in images])
    assert brighter[16] == pytest.approx(1000 * 20 / deviation * np.sqrt(2 / np.pi), rel=0.2)
    # Each set by its own mean: nothing is left of it.
    normalized = pyramid_distances(images + 20, images, **FEW)
    assert normalized == pytest.approx(pyramid_distances(images, images, **FEW), rel=1e-3)


def test_speckle_is_seen_by_the_finest_level(images, rng):
    chance = rng.random([*images.shape[:3], 1])
    speckled = np.where(chance < 0.02, 0, np.where(chance > 0.98, 255, images)).astype("uint8")
    for normalize, least, most in ((True, 1.3, 1.2), (False, 5, 3)):
        same = pyramid_distances(images, images, normalize=normalize, **FEW)
        found = pyramid_distances(speckled, images, normalize=normalize, **FEW)
        finest, *others = (found[side] / same[side] for side in (64, 32, 16))
        assert finest > least and max(others) < most


def test_contrast_is_seen_only_without_normalization(images):
    flat = np.round(128 + (images - 128.0) / 2).astype("uint8")
    same = pyramid_distances(images, images, **FEW)
    assert pyramid_distances(flat, images, **FEW) == pytest.approx(same, rel=0.05)
    for distance in pyramid_distances(flat, images, normalize=False, **FEW).values():
        assert distance > 300


def test_colors_are_told_apart(images):
    # Detail that is red in one set and blue in the other, with one brightness.
    red, blue = images.copy(), images.copy()
    red[..., 1:], blue[..., :2] = 128, 128
    for distance in pyramid_distances(red, blue, normalize=False, **FEW).values():
        assert distance > 300


def test_of_the_larger_set_as_much_is_drawn_as_there_is_of_the_smaller(images):
    few, third = images[4:8], np.concatenate([images[:4] + 40, images[4:]])
    all_brighter = pyramid_distances(few + 40, few, normalize=False, **FEW)[16]
    for a, b in ((third, few), (few, third)):
        found = pyramid_distances(a, b, normalize=False, **FEW)
        # A third of what is drawn is brighter; the first third would be brighter throughout.
        assert 0.15 * all_brighter < found[16] < 0.6 * all_brighter
        assert found[64] < 100


def test_the_seed_decides(images):
    first, again, other = (
        pyramid_distances(images[:6], images[6:], seed=seed, **FEW) for seed in (1, 1, 2)
    )
    assert first == again
    assert all(first[side] != other[side] for side in first)


def test_the_mean_is_of_all_levels_with_their_contrast(rng):
    images, target = rng.integers(0, 256, (2, 4, 32, 32, 1), "uint8")
    distances = pyramid_distances(images, target, normalize=False)
    expected = (distances[32] + distances[16]) / 2
    assert mean_patch_distance(images, target) == pytest.approx(expected)
