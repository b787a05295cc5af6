import keras
import numpy as np
import tensorflow as tf

from keras_gen.layers import ChannelwiseDense


def test_each_map_has_weights_of_its_own(rng):
    """m n^4 weights, and what a loop over maps and places computes."""
    layer, x = ChannelwiseDense(), rng.normal(size=(2, 3, 3, 5)).astype("float32")
    y = layer(x).numpy()
    assert layer.count_params() == 5 * 3**4 and y.shape == x.shape
    for channel, weights in enumerate(layer.kernel.numpy()):
        for out in range(9):
            row, column = divmod(out, 3)
            expected = (x[..., channel].reshape(2, 9) * weights[:, out]).sum(axis=1)
            np.testing.assert_allclose(y[:, row, column, channel], expected, atol=1e-5)


def test_the_variance_stays_at_the_start():
    keras.utils.set_random_seed(0)
    y = ChannelwiseDense()(tf.random.normal([64, 4, 4, 32]))
    assert abs(float(tf.math.reduce_std(y)) - 1) < 0.1
