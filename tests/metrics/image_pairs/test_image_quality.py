import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.metrics import PSNR, SSIM, L1Error, l1_error, psnr, ssim


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
