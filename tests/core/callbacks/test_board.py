"""What is written for TensorBoard."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from all_tiny import TINY
from keras_gen.core import ConstantThenLinear
from keras_gen.core.callbacks import Board, SampleGrid


def events(folder):
    """The numbers, texts and images in a folder by name, as (epoch, value)."""
    found = {}
    for path in folder.glob("train/events*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                array = tf.make_ndarray(value.tensor)
                found.setdefault(value.tag, []).append((event.step, array))
    return found


@pytest.mark.thorough
def test_rates_speed_images_and_settings(tmp_path):
    model = TINY["GAN"].compiled()
    falling = ConstantThenLinear(0.01, 0, 4)  # one step an epoch
    model.compile(
        d_optimizer=keras.optimizers.SGD(0.001), g_optimizer=keras.optimizers.SGD(falling)
    )
    image = np.arange(36, dtype="uint8").reshape(3, 4, 3)
    grids = SampleGrid(lambda model: image, tmp_path / "samples", every=2)
    board = Board(tmp_path, {"epochs": 4, "beta": 0.5}, tmp_path / "samples")
    data = TINY["GAN"].data(4)
    tensorboard = keras.callbacks.TensorBoard(tmp_path, write_graph=False)
    callbacks = [tensorboard, grids, board]
    model.fit(*data, batch_size=4, epochs=4, verbose=0, callbacks=callbacks)

    found = events(tmp_path)
    # Those of the logs, where all loggers find them.
    rates = [float(value) for _, value in found["epoch_g_learning_rate"]]
    np.testing.assert_allclose(rates, [0.0075, 0.005, 0.0025, 0], atol=1e-7)
    np.testing.assert_allclose([value for _, value in found["epoch_d_learning_rate"]], 0.001)
    assert [step for step, _ in found["steps_per_second"]] == [1, 2, 3]
    assert all(value > 0 for _, value in found["steps_per_second"])
    ((_, text),) = found["settings"]
    assert '"beta": 0.5' in text.item().decode()
    assert [step for step, _ in found["samples"]] == [0, 1, 3]
    png = found["samples"][0][1][2]  # after width and height
    np.testing.assert_array_equal(tf.io.decode_png(png), image)


@pytest.mark.thorough
def test_points_within_an_epoch(tmp_path):
    """By steps, since the epoch has no number of its own yet; none where epochs are short."""
    model, data = TINY["VAE"].compiled(), TINY["VAE"].data(8)
    for seconds, steps in ((0.0, [1, 2, 3, 4]), (1000.0, None)):
        model.step.assign(0)
        board = Board(tmp_path / str(seconds), every_seconds=seconds)
        model.fit(*data, batch_size=4, epochs=2, verbose=0, callbacks=[board])
        found = events(tmp_path / str(seconds)).get("running_loss")
        assert (found and [step for step, _ in found]) == steps
    assert all(np.isfinite(value) for _, value in events(tmp_path / "0.0")["running_kl_loss"])
