import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from keras_gen.metrics import InceptionScore, inception_score


def test_closed_forms():
    uniform = np.full([20, 4], 0.25)
    assert inception_score(uniform) == pytest.approx((1, 0))
    certain = np.tile(np.eye(4), [10, 1])
    assert inception_score(certain) == pytest.approx((4, 0))
    assert inception_score(50.0 * certain, from_logits=True) == pytest.approx((4, 0))
    # One class only, however certain, has no variety; half of two classes has two.
    assert inception_score(certain[::4]) == pytest.approx((1, 0))
    assert inception_score(np.eye(4)[[0, 1] * 10]) == pytest.approx((2, 0))


def test_against_the_definition(rng):
    logits = 3 * rng.normal(size=(23, 5))
    p = special.softmax(logits, axis=1)
    scores = []
    for part in (p[:12], p[12:]):
        marginal = part.mean(axis=0)
        scores.append(np.exp(np.mean([np.sum(q * np.log(q / marginal)) for q in part])))
    wanted = (np.mean(scores), np.std(scores))
    assert inception_score(p, splits=2) == pytest.approx(wanted)
    assert inception_score(logits.astype("float32"), True, splits=2) == pytest.approx(
        wanted, rel=1e-5
    )


@pytest.mark.parametrize("from_logits", [False, True])
def test_streamed_equals_one_part(rng, from_logits):
    x = 3 * rng.normal(size=(23, 5))
    x = x if from_logits else special.softmax(x, axis=1)
    metric = InceptionScore(5, from_logits=from_logits)
    assert metric.result() == 1
    for part in np.split(x, [4, 15]):
        metric.update_state(part)
    metric.update_state(x[:2], sample_weight=[0, 0])
    assert float(metric.result()) == pytest.approx(inception_score(x, from_logits, splits=1)[0])
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert again.get_config() == metric.get_config()


def test_replicas_add_up():
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        metric = InceptionScore(2)
    # Each replica alone sees one class, which would be a score of 1.
    rows = strategy.experimental_distribute_values_from_function(
        lambda context: tf.one_hot([context.replica_id_in_sync_group] * 3, 2)
    )
    strategy.run(metric.update_state, [rows])
    assert float(metric.result()) == pytest.approx(2)


def test_clear_errors():
    with pytest.raises(ValueError, match="from_logits=True"):
        inception_score(np.ones([20, 3]))
    with pytest.raises(ValueError, match="from_logits=True"):
        inception_score(np.full([20, 3], np.nan))
    with pytest.raises(ValueError, match="one row per split"):
        inception_score(np.eye(3))
