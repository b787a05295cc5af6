"""LeNet, and the one without maxima whose normalization forgets the contrast."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import lenet, normalized_lenet


def test_batch_normalization_takes_away_the_scale_of_the_inputs():
    encoder, _ = normalized_lenet((8, 8, 1), classes=3, filters=4, hidden=5)
    x = tf.random.stateless_normal([6, 8, 8, 1], [1, 2])
    found = encoder(x, training=True)
    np.testing.assert_allclose(encoder(7.0 * x, training=True), found, atol=1e-3)
    assert not np.allclose(encoder(7.0 * x, training=False), encoder(x, training=False))


@pytest.mark.parametrize("build", [lenet, normalized_lenet])
def test_features_are_not_negative_and_lines_classify_them(build, rng):
    encoder, classifier = build((17, 20, 3), classes=4, filters=2, hidden=6)
    features = encoder(rng.random((5, 17, 20, 3))).numpy()
    assert features.shape == (5, 6) and (features >= 0).all() and features.any()
    kernel, bias = classifier.get_weights()
    np.testing.assert_allclose(classifier(features), features @ kernel + bias, rtol=1e-5)


def test_sides_that_are_too_short():
    with pytest.raises(ValueError, match=r"image_shape is \(15, 16, 1\): LeNet needs sides of at"):
        lenet((15, 16, 1))
    with pytest.raises(ValueError, match=r"cannot take 3x8 pixels.*change image_shape"):
        normalized_lenet((3, 8, 1))
