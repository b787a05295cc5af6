"""Schedules of the step against their closed forms, and what a model keeps as a weight."""

import dataclasses
import math
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import ConstantThenLinear
from keras_gen.core.schedules import Constant, Exponential, Linear, Sigmoid, final, weight

# A schedule, its values by step, and the lowest and highest value.
FORMS = [
    (Constant(0.5), {0: 0.5, 1000: 0.5}, (0.5, 0.5)),
    (Linear(2.0, -1.0, 10), {0: 2, 1: 1.7, 5: 0.5, 10: -1, 11: -1}, (-1, 2)),
    (Linear(0, 1, 4, delay=3), {0: 0, 3: 0, 4: 0.25, 6: 0.75, 7: 1, 10**6: 1}, (0, 1)),
    (Exponential(1.0, 0.01, 10), {0: 1, 1: 0.01**0.1, 5: 0.1, 10: 0.01, 99: 0.01}, (0.01, 1)),
    (Exponential(-1.0, -4.0, 2, delay=2), {0: -1, 2: -1, 3: -2, 4: -4, 5: -4}, (-4, -1)),
    (
        Sigmoid(3.0, 100),
        {0: 0, 10: 3 * (2 / (1 + math.exp(-1)) - 1), 100: 3 * math.tanh(5), 101: 3 * math.tanh(5)},
        (0, 3 * math.tanh(5)),
    ),
    (Sigmoid(-1.0, 10, steepness=2.0), {5: -math.tanh(0.5), 10: -math.tanh(1)}, (-math.tanh(1), 0)),
    (ConstantThenLinear(0.2, 10, 40), {0: 0.2, 30: 0.1, 50: 0}, (0, 0.2)),
]
every_schedule = pytest.mark.parametrize("schedule", [f[0] for f in FORMS], ids=repr)


@pytest.mark.parametrize(("schedule", "values", "bounds"), FORMS, ids=repr)
def test_values(schedule, values, bounds):
    for step, value in values.items():
        np.testing.assert_allclose(schedule(step), value, rtol=1e-5, atol=1e-7, err_msg=f"{step}")
    np.testing.assert_allclose(schedule.bounds, bounds)
    path = [float(schedule(step)) for step in range(120)]
    assert bounds[0] - 1e-6 <= min(path) and max(path) <= bounds[1] + 1e-6


@pytest.mark.parametrize(("start", "end"), [(1e-20, 1e20), (1e30, 1e-30), (-1e-30, -1e30)])
def test_ends_whose_ratio_float32_cannot_hold(start, end):
    found = [Exponential(start, end, 100)(step) for step in (0, 50, 100)]
    np.testing.assert_allclose(found, [start, math.copysign(1, start), end], rtol=1e-4)


@every_schedule
def test_final_is_where_it_ends(schedule):
    assert final(schedule) == schedule.final
    np.testing.assert_allclose(schedule(999_999), schedule.final, rtol=1e-6)


@every_schedule
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_takes_any_integer_and_gives_a_float32_scalar(schedule, dtype):
    kinds = [7, np.int64(7), tf.constant(7, dtype), keras.Variable(7, dtype=dtype)]
    for step in kinds:
        value = schedule(step)
        assert (value.dtype, value.shape) == (tf.float32, ())
        assert float(value) == float(schedule(7))
    assert float(tf.function(schedule)(kinds[2])) == pytest.approx(float(schedule(7)), rel=1e-6)


@every_schedule
def test_is_saved_compared_and_hashed_by_class_and_arguments(schedule):
    saved = keras.saving.serialize_keras_object(schedule)
    restored = keras.saving.deserialize_keras_object(saved)
    assert restored == schedule and restored is not schedule
    assert hash(restored) == hash(schedule)
    assert type(schedule).from_config(schedule.get_config()) == schedule
    name, value = next(iter(schedule.get_config().items()))
    assert dataclasses.replace(schedule, **{name: value - 0.1}) != schedule


@every_schedule
def test_drives_sgd_in_a_graph(schedule):
    optimizer, variable = keras.optimizers.SGD(schedule), keras.Variable(0.0)
    optimizer.build([variable])

    @tf.function
    def step():
        optimizer.apply([tf.constant(1.0)], [variable])

    for _ in range(4):
        step()
    expected = -sum(float(schedule(t)) for t in range(4))
    np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-5, atol=1e-7)
    assert keras.optimizers.get(keras.optimizers.serialize(optimizer))._learning_rate == schedule


@every_schedule
@pytest.mark.parametrize("step", [True, np.True_, tf.constant(True), "1", 2.5, None], ids=repr)
def test_steps_that_are_not_numbers_are_refused(schedule, step):
    with pytest.raises(TypeError, match=r"^step is .*: expected an integer of at least 0\.$"):
        schedule(step)


nan, inf = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Linear(0, 1, 2.5), "steps is 2.5: expected a whole number of at least 1."),
        (lambda: Linear(0, 1, 2, -1), "delay is -1: expected a whole number of at least 0."),
        (lambda: Exponential(1, 0, 2), "start is 1 and end is 0: an Exponential schedule needs"),
        (lambda: Sigmoid(1, 2, steepness=0), "steepness is 0: expected a positive number."),
        (
            lambda: ConstantThenLinear(-1, 1, 1),
            "learning_rate is -1: expected a number of at least 0.",
        ),
        (lambda: ConstantThenLinear(1, -1, 1), "constant_steps is -1: expected a whole number"),
        (lambda: ConstantThenLinear(1, 1, 0), "decay_steps is 0: expected a whole number"),
    ],
)
def test_bad_arguments_are_refused(make, sentence):
    with pytest.raises((TypeError, ValueError), match="^" + re.escape(sentence)):
        make()


UNFIT = keras.saving.serialize_keras_object(Linear(0.0, 1.0, 2))
UNFIT["config"]["steps"] = 0


class TestWeight:
    @pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int64(2)], ids=repr)
    def test_numbers_become_floats(self, value):
        kept = weight("beta", value)
        assert type(kept) is float and kept == 2
        assert final(kept) == 2

    def test_schedules_are_kept(self):
        schedule = Linear(0.0, 2.0, 10)
        assert weight("beta", schedule) is schedule
        assert final(schedule) == 2

    def test_saved_configs_are_read_and_left_as_they_are(self):
        saved = keras.saving.serialize_keras_object(Linear(0.0, 1.0, 10))
        assert weight("beta", saved) == weight("beta", saved) == Linear(0.0, 1.0, 10)

    @pytest.mark.parametrize(
        ("value", "limits", "sentence"),
        [
            (-1, {}, "beta is -1: expected at least 0."),
            (0.5, dict(low=1.0), "beta is 0.5: expected at least 1."),
            (2, dict(high=1.5), "beta is 2: expected at most 1.5."),
            (Linear(1.0, -1.0, 5), {}, "beta reaches -1: expected at least 0."),
            (Linear(0.5, 3.0, 5), dict(high=2), "beta reaches 3: expected at most 2."),
            (Linear(0.0, 1e39, 5), {}, "beta reaches 1e+39 in magnitude: expected at most 3e+38."),
            (nan, {}, "beta is nan: expected a finite number, a Schedule, or the saved config of"),
            (-inf, dict(low=None), "beta is -inf: expected a finite number"),
            (True, {}, "beta is True: expected"),
            ({"class_name": "Unknown", "config": {}}, {}, "beta is {'class_name': 'Unknown'"),
            (UNFIT, {}, "beta is {'module': 'keras_gen"),
            (keras.optimizers.schedules.CosineDecay(1.0, 5), {}, "beta is <"),
        ],
    )
    def test_anything_else_is_refused(self, value, limits, sentence):
        with pytest.raises(ValueError, match="^" + re.escape(sentence)):
            weight("beta", value, **limits)

    def test_limits_belong_to_the_range(self):
        assert weight("beta", 0) == 0 and weight("beta", 1, high=1) == 1
        assert weight("beta", -3, low=None) == -3
        assert weight("beta", Linear(0.0, 1.0, 5), high=1) == Linear(0.0, 1.0, 5)


# ConstantThenLinear -------------------------------------------------------------------------------


def test_counts_exactly_in_long_trainings():
    schedule = ConstantThenLinear(1.0, constant_steps=10_000_000, decay_steps=1000)
    np.testing.assert_allclose(schedule(10_000_001), 0.999, rtol=1e-6)


@pytest.mark.parametrize(("steps", "constant"), [(10, 5), (11, 5), (1, 0)])
def test_in_halves(steps, constant):
    schedule = ConstantThenLinear.in_halves(0.2, steps)
    assert schedule.get_config() == {
        "learning_rate": 0.2, "constant_steps": constant, "decay_steps": steps - constant,
    }  # fmt: skip
    assert float(schedule(steps)) == 0
