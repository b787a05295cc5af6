"""Learning-rate schedules against their closed form."""

import keras
import numpy as np
import pytest

from keras_gen.training import ConstantThenLinear


@pytest.mark.parametrize(
    ("step", "rate"), [(0, 0.2), (9, 0.2), (10, 0.2), (11, 0.195), (30, 0.1), (49, 0.005), (50, 0)]
)
def test_closed_form(step, rate):
    schedule = ConstantThenLinear(0.2, constant_steps=10, decay_steps=40)
    np.testing.assert_allclose(schedule(step), rate, rtol=1e-5, atol=1e-8)


def test_stays_zero_after_its_end():
    assert float(ConstantThenLinear(0.2, 10, 40)(1000)) == 0


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


def test_without_constant_part():
    np.testing.assert_allclose(ConstantThenLinear(1.0, 0, 4)(1), 0.75)


def test_config():
    schedule = ConstantThenLinear(0.2, 10, 40)
    saved = keras.saving.serialize_keras_object(schedule)
    restored = keras.saving.deserialize_keras_object(saved)
    assert restored.get_config() == schedule.get_config()
    assert float(restored(30)) == float(schedule(30))


@pytest.mark.parametrize("arguments", [(-0.1, 1, 1), (0.1, -1, 1), (0.1, 1, 0)])
def test_bad_arguments(arguments):
    with pytest.raises(ValueError, match=f"learning_rate={arguments[0]}.*none may be negative"):
        ConstantThenLinear(*arguments)


def test_drives_adam():
    """Adam's first steps with equal gradients have the size of the rate."""
    schedule = ConstantThenLinear(0.1, constant_steps=2, decay_steps=2)
    optimizer = keras.optimizers.Adam(schedule, epsilon=1e-9)
    weight = keras.Variable(0.0)
    optimizer.build([weight])
    path = [0.0]
    for _ in range(5):
        optimizer.apply([np.float32(1)], [weight])
        path.append(float(weight.numpy()))
    np.testing.assert_allclose(-np.diff(path), [0.1, 0.1, 0.1, 0.05, 0], rtol=1e-4, atol=1e-9)
