"""Features that compare the examples of a batch, against loops in numpy."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import make_strategy
from keras_gen.layers import MinibatchDiscrimination, MinibatchStddev


class TestStddev:
    @pytest.mark.parametrize(
        "size, groups", [(2, [(0, 2), (2, 4)]), (8, [(0, 4)]), (None, [(0, 4)])]
    )
    @pytest.mark.parametrize("shape", [(3, 2, 5), (5,)])
    def test_it_is_the_mean_deviation_within_a_group(self, size, groups, shape, rng):
        x = rng.normal(size=(4, *shape)).astype("float32")
        y = MinibatchStddev(size)(x).numpy()
        np.testing.assert_array_equal(y[..., :-1], x)
        for start, end in groups:
            expected = np.sqrt(x[start:end].var(axis=0) + 1e-8).mean()
            np.testing.assert_allclose(y[start:end, ..., -1], expected, rtol=1e-5)

    def test_parts_with_whole_groups_are_what_the_whole_is(self, rng):
        """So replicas that hold whole groups equal one device."""
        x = rng.normal(size=(4, 3)).astype("float32")
        for size, same in ((2, True), (None, False)):
            layer = MinibatchStddev(size)
            parts = np.concatenate([layer(x[:2]), layer(x[2:])])
            assert np.array_equal(parts, layer(x)) == same

    @pytest.mark.parametrize(
        ("size", "sentence"),
        [
            (4, "cannot be divided into groups of"),
            (None, "each replica has only part of the batch"),
        ],
    )
    def test_replicas_that_share_a_group_are_refused(self, size, sentence):
        """One device would compare four examples, and each of two replicas two."""
        strategy = make_strategy("mirrored")
        specs = [tf.TensorSpec([None, 3])]
        run = tf.function(MinibatchStddev(size), specs, autograph=False)
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=sentence):
            strategy.run(run, args=(tf.ones([2, 3]),))

    def test_equal_examples_have_a_slope(self):
        x = tf.ones([4, 3])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = MinibatchStddev()(x)
        np.testing.assert_allclose(y[:, -1], 1e-4, rtol=1e-5)
        assert np.isfinite(tape.gradient(y, x)).all()


class TestDiscrimination:
    def test_it_sums_the_nearness_of_all_examples(self, rng):
        """Sec. 3.2 of Salimans et al., one pair and one row at a time."""
        layer, x = MinibatchDiscrimination(features=3, row=2), rng.normal(size=(4, 5))
        y = layer(x.astype("float32")).numpy()
        matrices = np.einsum("na,abc->nbc", x, layer.kernel.numpy())
        for i in range(4):
            for b in range(3):
                near = [np.exp(-np.abs(matrices[i, b] - matrices[j, b]).sum()) for j in range(4)]
                assert y[i, 5 + b] == pytest.approx(sum(near), rel=1e-5)
        np.testing.assert_array_equal(y[:, :5], x.astype("float32"))
        assert layer.kernel.shape == (5, 3, 2)

    def test_the_new_features_go_from_1_to_all(self):
        layer = MinibatchDiscrimination(features=4)
        np.testing.assert_allclose(layer(tf.ones([6, 3]))[:, 3:], 6.0)
        np.testing.assert_allclose(layer(1e4 * tf.eye(3))[:, 3:], 1.0, atol=1e-5)
