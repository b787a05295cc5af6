import keras
import numpy as np
import tensorflow as tf

from keras_gen.metrics import ActiveUnits, active_units


def test_active_units(rng):
    # Standard deviations just above and below a tenth, and a latent with a large mean.
    means = rng.normal(size=(2000, 3)) * [0.12, 0.08, 0.0] + [0, 0, 5]
    number, variances = active_units(means)
    assert number == 1
    np.testing.assert_allclose(variances, means.var(axis=0, ddof=1))
    assert active_units(means, threshold=0.005)[0] == 2
    metric = ActiveUnits(3, threshold=0.005)
    for part in np.split(means.astype("float32"), 4):
        metric.update_state(part)
    assert float(metric.result()) == 2
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert again.get_config() == metric.get_config()
    metric.reset_state()
    assert float(metric.result()) == 0


def test_replicas_add_up(rng):
    means = rng.normal(size=(6, 2)) * [1.0, 0.0]
    means[3:, 1] = 1  # constant on each replica, and not over both
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        metric = ActiveUnits(2)
    parts = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(np.split(means, 2)[context.replica_id_in_sync_group])
    )
    strategy.run(metric.update_state, [parts])
    assert float(metric.result()) == active_units(means)[0] == 2
