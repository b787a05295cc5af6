import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.metrics import BitsPerDimension, bits_per_dimension


def test_bits_per_dimension():
    # A uniform distribution over 256 levels has 8 bits, however it is written down.
    d = 12
    assert bits_per_dimension(d * np.log(256), d, "none") == pytest.approx(8)
    assert bits_per_dimension(d * np.log(256), d, "uniform") == pytest.approx(8)
    assert bits_per_dimension(0.0, d, "uniform", levels_per_unit=256) == pytest.approx(8)
    # Data in [-1, 1) have the density 1/2.
    assert bits_per_dimension(d * np.log(2), d, "variational", 128) == pytest.approx(8)
    np.testing.assert_allclose(bits_per_dimension(np.array([0, d * np.log(2)]), d, "none"), [0, 1])
    metric = BitsPerDimension(d, "uniform", 256)
    metric.update_state(np.array([0.0, d * np.log(2)]))
    metric.update_state(np.array([0.0]), sample_weight=[0.0])
    assert float(metric.result()) == pytest.approx(8.5)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert again.get_config() == metric.get_config()


def test_replicas_average_over_all_examples(rng):
    nats = rng.normal(size=6)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        metric = BitsPerDimension(3, "none")
    parts = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(np.split(nats, 2)[context.replica_id_in_sync_group])
    )
    strategy.run(metric.update_state, [parts])
    assert float(metric.result()) == pytest.approx(bits_per_dimension(nats, 3, "none").mean())


def test_clear_errors():
    with pytest.raises(ValueError, match="none, uniform, variational"):
        bits_per_dimension(0.0, 4, "yes")
    with pytest.raises(ValueError, match="positive numbers"):
        bits_per_dimension(0.0, 0, "none")
    with pytest.raises(ValueError, match="which has no unit"):
        bits_per_dimension(0.0, 4, "none", 256)
    with pytest.raises(ValueError, match="which has no unit"):
        BitsPerDimension(4, "none", 256)
