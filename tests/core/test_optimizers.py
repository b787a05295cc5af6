"""Adam as one operation."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core.optimizers import fused
from keras_gen.gan import JoiningAdam

DECAY = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
ARGUMENTS = [
    dict(beta_1=0.9, beta_2=0.999),
    dict(beta_1=0.0, beta_2=0.99),
    dict(epsilon=0.5),
    dict(clipnorm=0.5),
    dict(loss_scale_factor=4.0),
    dict(learning_rate=DECAY),
    dict(gradient_accumulation_steps=2),
]


@pytest.mark.thorough
@pytest.mark.parametrize("arguments", ARGUMENTS, ids=lambda each: "-".join(each))
@pytest.mark.parametrize("kind", [keras.optimizers.Adam, keras.optimizers.AdamW])
def test_takes_the_steps_of_keras(rng, kind, arguments):
    steps = [[tf.constant(rng.normal(size=v), "float32") for v in ((2,), (1, 1))] for _ in range(7)]
    results = []
    for ours in (False, True):
        variables = [keras.Variable([1.0, -2.0]), keras.Variable([[3.0]])]
        optimizer = kind(**{"learning_rate": 0.1} | arguments)
        optimizer.build(variables)
        for step in steps:
            with fused(optimizer) if ours else contextlib.nullcontext():
                assert ("update_step" in vars(optimizer)) == ours
                optimizer.apply(step, variables)
        assert "update_step" not in vars(optimizer)  # it is its user's
        results.append([np.array(v.value) for v in (*variables, *optimizer.variables)])
    for ours, expected in zip(*results, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4)  # 1 - beta_2 is rounded


def test_rows_of_an_embedding():
    results = []
    for ours in (False, True):
        table = keras.Variable(np.ones([4, 2], "float32"))
        optimizer = keras.optimizers.Adam(0.1)
        optimizer.build([table])
        rows = tf.IndexedSlices(tf.ones([1, 2]), tf.constant([2]), tf.constant([4, 2]))
        with fused(optimizer) if ours else contextlib.nullcontext():
            optimizer.apply([rows], [table])
        results.append(table.numpy())
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize(
    "optimizer", [keras.optimizers.Adam(amsgrad=True), JoiningAdam(), keras.optimizers.SGD()]
)
def test_leaves_other_formulas_alone(optimizer):
    with fused(optimizer):
        assert "update_step" not in vars(optimizer)
