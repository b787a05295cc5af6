import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.metrics import (
    PSNR,
    SSIM,
    L1Error,
    color_statistics,
    l1_error,
    psnr,
    squared_error,
    ssim,
)
from keras_gen.metrics.image_pairs.image_quality import luma


def y_channel(images):
    """BT.601 as in MATLAB's rgb2ycbcr, in float64."""
    red, green, blue = np.moveaxis(images.astype("float64") / 255, -1, 0)
    return 16 + 65.481 * red + 128.553 * green + 24.966 * blue


def brute_ssim(a, b):
    """Wang et al. (2004) window by window, of two float images [H, W]."""
    offsets = np.arange(11) - 5
    line = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for i in range(a.shape[0] - 10):
        for j in range(a.shape[1] - 10):
            x, y = a[i : i + 11, j : j + 11], b[i : i + 11, j : j + 11]
            mx, my = (window * x).sum(), (window * y).sum()
            vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
            xy = (window * (x - mx) * (y - my)).sum()
            values.append(
                (2 * mx * my + c1) * (2 * xy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
            )
    return np.mean(values)


@pytest.fixture
def pair(rng):
    originals = rng.integers(0, 256, (3, 18, 20, 3), "uint8")
    noise = rng.normal(0, 20, originals.shape)
    return originals, np.clip(originals + noise, 0, 255).astype("uint8")


def test_luma_is_that_of_the_standard(rng):
    colors = np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0]], "uint8")
    np.testing.assert_allclose(luma(colors)[:, 0], [16, 235, 81.481], rtol=1e-6)
    gray = rng.integers(0, 256, (2, 4, 4, 1), "uint8")
    np.testing.assert_array_equal(luma(gray), gray)


@pytest.mark.parametrize("shave", [0, 3])
def test_against_numpy(pair, shave):
    originals, images = pair
    inside = np.s_[:, shave : 18 - shave, shave : 20 - shave]
    a, b = (y_channel(x)[inside] for x in pair)
    error = ((a - b) ** 2).mean(axis=(1, 2))
    np.testing.assert_allclose(
        psnr(images, originals, shave), 10 * np.log10(255**2 / error), rtol=1e-5
    )
    wanted = [brute_ssim(x, y) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(ssim(images, originals, shave), wanted, rtol=1e-3)
    difference = np.abs(originals.astype(int) - images)[inside].mean(axis=(1, 2, 3))
    np.testing.assert_allclose(l1_error(images, originals, shave), difference, rtol=1e-5)


def test_known_values():
    black, gray = np.zeros([2, 16, 16, 1], "uint8"), np.full([2, 16, 16, 1], 51, "uint8")
    np.testing.assert_allclose(psnr(gray, black), 20 * np.log10(5), rtol=1e-5)
    assert np.isinf(psnr(black, black)).all()
    np.testing.assert_allclose(ssim(gray, gray), 1)
    assert l1_error(gray, black).tolist() == [51, 51]
    # What differs in the border alone is cut off.
    framed = black.copy()
    framed[:, :2], framed[:, :, -2:] = 200, 200
    assert psnr(framed, black)[0] < 15 and np.isinf(psnr(framed, black, shave=2)).all()


@pytest.mark.parametrize(("metric", "function"), [(PSNR, psnr), (SSIM, ssim), (L1Error, l1_error)])
def test_streamed_means(pair, metric, function):
    originals, images = pair
    running = metric(shave=2)
    for part in (slice(0, 2), slice(2, 3)):
        running.update_state(originals[part], images[part])
    assert float(running.result()) == pytest.approx(function(images, originals, 2).mean(), rel=1e-5)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(running))
    assert type(again) is metric and again.get_config() == {"shave": 2, "name": running.name}


def test_replicas_average_over_all_images(pair):
    originals, images = (x[:2] for x in pair)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        metric = PSNR()
    data = tf.data.Dataset.from_tensor_slices((originals, images)).batch(2)

    @tf.function
    def update(batch):
        strategy.run(metric.update_state, batch)

    for batch in strategy.experimental_distribute_dataset(data):
        update(batch)
    values = psnr(images, originals)
    assert values[0] != values[1]
    assert float(metric.result()) == pytest.approx(values.mean(), rel=1e-5)


def test_color_statistics():
    images = np.zeros([2, 4, 4, 3], "uint8")
    images[0] = [200, 100, 0]
    report = color_statistics(images)
    assert (report["red_mean"], report["red_std"]) == (100, 100)
    assert (report["green_mean"], report["blue_std"]) == (50, 0)
    # One color: rg = 100, yb = 150, no spread; the black image has neither.
    assert report["colorfulness"] == pytest.approx(0.3 * np.hypot(100, 150) / 2)
    # Half red, half blue: rg is 255 or 0, yb 127.5 or -255.
    images = np.zeros([1, 2, 2, 3], "uint8")
    images[:, 0, :, 0], images[:, 1, :, 2] = 255, 255
    wanted = np.hypot(127.5, 191.25) + 0.3 * np.hypot(127.5, 63.75)
    assert color_statistics(images)["colorfulness"] == pytest.approx(wanted)
    # Bright or dark, gray has no color.
    gray = np.repeat(np.arange(48, dtype="uint8").reshape(3, 4, 4, 1), 3, axis=-1)
    assert color_statistics(gray)["colorfulness"] == 0


def test_clear_errors(pair):
    originals, images = pair
    for function in (psnr, ssim, l1_error):
        with pytest.raises(ValueError, match="of one shape"):
            function(images, originals[:2])
        with pytest.raises(ValueError, match="uint8"):
            function(images / 255, originals)
    with pytest.raises(ValueError, match="at least 11 pixels"):
        ssim(images, originals, shave=4)
    with pytest.raises(ValueError, match="of one shape"):
        PSNR().update_state(originals / 255, images / 255)
    with pytest.raises(ValueError, match="RGB"):
        color_statistics(originals[..., :1])


class TestSquaredError:
    def test_in_units_of_255_levels(self):
        a, b = np.zeros([2, 3, 4, 1], "uint8"), np.zeros([2, 3, 4, 1], "uint8")
        a[0], b[1, 0, 0] = 255, 51
        found = squared_error(a, b)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, [12.0, 0.2**2], rtol=1e-6)

    def test_floats_and_levels_mix_and_may_lie_outside(self):
        originals = np.full([1, 2, 2, 3], 255, "uint8")
        np.testing.assert_allclose(
            squared_error(np.full([1, 2, 2, 3], 1.5), originals), [12 * 0.25]
        )

    def test_of_large_sets(self):
        images = np.random.default_rng(0).integers(0, 256, [2345, 2, 2, 1], "uint8")
        expected = np.square(images.astype("float64") / 255).sum(axis=(1, 2, 3))
        np.testing.assert_allclose(squared_error(images, np.zeros_like(images)), expected, 1e-5)

    def test_of_principal_components_is_the_rest_of_the_variance(self):
        x = np.random.default_rng(0).normal(size=[500, 6]) * [5, 4, 3, 0.3, 0.2, 0.1]
        x -= x.mean(axis=0)
        values, vectors = np.linalg.eigh(np.cov(x, rowvar=False, bias=True))
        kept = vectors[:, -3:]
        found = squared_error(x @ kept @ kept.T, x)
        np.testing.assert_allclose(found.mean(), values[:3].sum(), rtol=1e-4)

    @pytest.mark.parametrize(
        ("images", "sentence"),
        [
            (np.zeros([2, 3], "uint8"), r"uint8 \(2, 3\) and originals uint8 \(2, 4\)"),
            (np.zeros([2, 4], "int64"), "images int64"),
        ],
    )
    def test_refuses(self, images, sentence):
        with pytest.raises(ValueError, match=sentence):
            squared_error(images, np.zeros([2, 4], "uint8"))
