import keras
import numpy as np
import tensorflow as tf

from keras_gen.core import noise
from keras_gen.layers import Dropout, NoiseChannels


def test_drops_its_share_and_keeps_the_mean():
    dropped = Dropout(0.3, seed=1)(tf.ones([200, 100]), training=True).numpy()
    np.testing.assert_allclose(np.unique(dropped), [0, 1 / 0.7], rtol=1e-6)
    assert abs((dropped == 0).mean() - 0.3) < 0.01
    assert abs(dropped.mean() - 1) < 0.02


def test_is_the_identity_at_inference():
    layer, x = Dropout(0.9, seed=1), tf.random.normal([3, 4])
    np.testing.assert_array_equal(layer(x), x)
    assert layer.calls.numpy() == 0


def test_draws_anew_at_every_call_and_resumes_from_its_counter():
    layer, x = Dropout(0.5, seed=1), tf.ones([8, 8])
    first, second = (layer(x, training=True).numpy() for _ in range(2))
    assert (first != second).any()
    resumed = Dropout.from_config(layer.get_config())
    resumed.set_weights([np.asarray(1)])
    np.testing.assert_array_equal(resumed(x, training=True), second)


def test_replicas_draw_what_one_device_draws():
    x = tf.ones([6, 5])
    whole = Dropout(0.5, seed=3)(x, training=True).numpy()
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        layer = Dropout(0.5, seed=3)
    parts = strategy.run(tf.function(lambda: layer(x[:3], training=True)))
    np.testing.assert_array_equal(np.concatenate(strategy.experimental_local_results(parts)), whole)
    assert layer.calls.numpy() == 1


def test_a_seed_comes_from_the_global_one():
    keras.utils.set_random_seed(5)
    first = Dropout(0.5).seed
    keras.utils.set_random_seed(5)
    assert Dropout(0.5).seed == first


def test_dropping_always_follows_the_given_seed_at_inference():
    layer, x = Dropout(0.5, seed=3, always=True), tf.ones([8, 8])
    drawn = []
    for seed in (1, 1, 2):
        with noise.inference_seed(seed):
            drawn.append(layer(x, training=False).numpy())
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any() and set(np.unique(drawn[0])) == {0.0, 2.0}
    assert layer.calls.numpy() == 0
    np.testing.assert_array_equal(Dropout(0.5)(x, training=False), x)


def test_at_inference_results_do_not_depend_on_place_and_size_of_the_batch(rng):
    layer, x = Dropout(0.5, seed=3, always=True), rng.normal(size=(5, 4, 4, 2)).astype("float32")
    whole = layer(x, training=False)
    for place in range(5):
        alone = layer(x[place : place + 1], training=False)
        np.testing.assert_array_equal(alone[0], whole[place])
    assert 0.2 < (np.ravel(whole) == 0).mean() < 0.8


def test_channels_of_standard_normal_noise_are_appended():
    x = tf.ones([50, 8, 8, 3])
    y = NoiseChannels(2, seed=1)(x, training=True).numpy()
    np.testing.assert_array_equal(y[..., :3], x)
    noise = y[..., 3:]
    assert abs(noise.mean()) < 0.05 and abs(noise.std() - 1) < 0.05
    assert (noise[0] != noise[1]).any()


def test_at_inference_all_examples_have_one_noise():
    y = NoiseChannels(1, seed=1)(tf.ones([3, 4, 4, 1]), training=False).numpy()
    np.testing.assert_array_equal(y[0], y[2])
    assert np.ptp(y[..., 1]) > 0
