"""Numbers that depend on the step, such as learning rates, loss weights, and noise levels.

A model stores the return value of `weight`, which is a float or a `Schedule`. The model's step
calls `self.scheduled(weight)`, which returns the current value in training and the final value in
evaluation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any

import keras
from typing_extensions import override

from keras_gen.arguments import checked_integer, checked_number, shown
from keras_gen.declared import Declared, NonNegative, Positive

LARGEST_FLOAT = 3e38  # weights are float32


def _is_finite(value) -> bool:
    try:
        checked_number("value", value)
    except (TypeError, ValueError):
        return False
    return True


def checked_whole(name: str, value: Any, minimum: int) -> int:
    """Returns a number of steps, such as 1000 or 1e3; raises a ValueError if it is not whole."""
    if not _is_finite(value) or value % 1 or value < minimum:
        raise ValueError(
            f"{name} is {shown(value)}: expected a whole number of at least {minimum}."
        )
    return int(value)


class Schedule(Declared, keras.optimizers.schedules.LearningRateSchedule):
    """Base class for numbers that depend on the step, which are also Keras learning-rate schedules.

    A subclass declares its numbers as fields, is registered for saving, and defines `_at` and
    `_ends`.

    Example:
    ```python
    beta: Schedule = Linear(0.0, 4.0, steps=100)
    beta(25), beta.final, beta.bounds  # 1.0, 4.0, (0.0, 4.0)
    ```
    """

    @override
    def __call__(self, step):
        """Returns the value after `step` steps (an int or an integer tensor) as a float32 scalar.

        Raises:
            TypeError: If `step` is not an integer. Booleans are rejected.
            ValueError: If `step` is below 0.
        """
        dtype = getattr(step, "dtype", None)
        if dtype is None:
            step = checked_integer("step", step, minimum=0)
        elif keras.backend.standardize_dtype(dtype) in ("bool", "string"):
            raise TypeError(f"step is {shown(step)}: expected an integer of at least 0.")
        # float32 represents every step number up to 16.7 million exactly.
        return self._at(keras.ops.cast(step, "float32"))

    def _at(self, step):
        """Returns the value at a float32 step."""
        raise NotImplementedError

    def _ends(self) -> tuple[float, float]:
        """Returns the first and the last value; all other values are between them."""
        raise NotImplementedError

    @property
    def final(self) -> float:
        """Final value, which is used in evaluation."""
        return self._ends()[1]

    @property
    def bounds(self) -> tuple[float, float]:
        """Minimum and maximum value."""
        return min(self._ends()), max(self._ends())


@keras.saving.register_keras_serializable("keras_gen")
class Constant(Schedule):
    """Schedule with the same value at every step.

    Args:
        value: Finite number.
    """

    value: float

    @override
    def _at(self, step):
        return keras.ops.full_like(step, self.value)

    @override
    def _ends(self):
        return self.value, self.value


@keras.saving.register_keras_serializable("keras_gen")
class Linear(Schedule):
    """Schedule that changes linearly from one value to another, and is constant before and after.

    Args:
        start: Value up to step `delay`.
        end: Value from step `delay + steps` on.
        steps: Number of steps from the first value to the last, at least 1.
        delay: Number of steps before the value begins to change.

    Example: `Linear(0.0, 1.0, steps=100, delay=50)(75)` is 0.25.
    """

    start: float
    end: float
    steps: Annotated[int, partial(checked_whole, minimum=1)]
    delay: Annotated[int, partial(checked_whole, minimum=0)] = 0

    @override
    def _at(self, step):
        p = self._progress(step)
        # In contrast to start + p (end - start), this formula reaches both ends exactly.
        return (1.0 - p) * self.start + p * self.end

    def _progress(self, step):
        return keras.ops.clip((step - self.delay) / self.steps, 0.0, 1.0)

    @override
    def _ends(self):
        return self.start, self.end


@keras.saving.register_keras_serializable("keras_gen")
class Exponential(Linear):
    """Schedule that changes geometrically between two values, and is constant before and after.

    Args:
        start, end, steps, delay: See `Linear`. Both end values must be nonzero and have the same
            sign.

    Example: `Exponential(1.0, 0.01, steps=100)(50)` is 0.1.
    """

    @override
    def set_up(self):
        if self.start * self.end <= 0:
            raise ValueError(
                f"start is {self.start:g} and end is {self.end:g}: an Exponential schedule "
                "needs two nonzero values with the same sign. To reach or cross 0, use Linear."
            )

    @override
    def _at(self, step):
        # The ratio of the two values may be outside the range of float32.
        done = self._progress(step)
        value = abs(self.start) ** (1.0 - done) * abs(self.end) ** done
        return math.copysign(1.0, self.start) * value


@keras.saving.register_keras_serializable("keras_gen")
class Sigmoid(Schedule):
    """Schedule that rises from zero, quickly at first, and then saturates.

    Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 17(59), 2016, sec. 5.2.2.
    The weight of the domain classifier is 2 / (1 + exp(-gamma p)) - 1, where p is the completed
    fraction of the training run.

    Args:
        end: Limit of the value. At the last step, the value is `end` times tanh(steepness / 2).
        steps: Number of steps over which the value rises, at least 1; afterward, the value is
            constant.
        steepness: Steepness of the curve (gamma in the paper), above 0.

    Example: `Sigmoid(1.0, steps=1000)(100)` is 0.4621.
    """

    end: float
    steps: Annotated[int, partial(checked_whole, minimum=1)]
    steepness: Positive = 10.0

    @override
    def _at(self, step):
        p = keras.ops.clip(step / self.steps, 0.0, 1.0)
        return self.end * (2.0 * keras.ops.sigmoid(self.steepness * p) - 1.0)

    @override
    def _ends(self):
        return 0.0, self.end * math.tanh(self.steepness / 2)


@keras.saving.register_keras_serializable("keras_gen")
class ConstantThenLinear(Schedule):
    """Schedule that is constant, then decays linearly to zero, as in Zhu et al. (2017), sec. 4.

    Args:
        learning_rate: Nonnegative learning rate during the constant part.
        constant_steps: Number of steps at the constant rate.
        decay_steps: Number of steps over which the rate decays to zero.

    Example: `ConstantThenLinear(2e-4, constant_steps=100 * 1072, decay_steps=100 * 1072)`.
    """

    learning_rate: NonNegative
    constant_steps: Annotated[int, partial(checked_whole, minimum=0)]
    decay_steps: Annotated[int, partial(checked_whole, minimum=1)]

    @classmethod
    def in_halves(cls, learning_rate: float, steps: int):
        """Returns a schedule that is constant for half of the steps, and then decays."""
        return cls(learning_rate, steps // 2, steps - steps // 2)

    @override
    def _at(self, step):
        remaining = 1.0 - (step - self.constant_steps) / self.decay_steps
        return self.learning_rate * keras.ops.clip(remaining, 0.0, 1.0)

    @override
    def _ends(self):
        return self.learning_rate, 0.0


def final(value: float | Schedule) -> float:
    """Returns a number, or the final value of a schedule.

    Example:
        >>> final(0.5), final(Linear(1.0, 0.1, steps=10))
        (0.5, 0.1)
    """
    checked = weight("value", value, low=None)
    return checked.final if isinstance(checked, Schedule) else checked


def weight(
    name: str, value: Any, low: float | None = 0.0, high: float | None = None
) -> float | Schedule:
    """Checks a loss weight, temperature, or noise level, and returns a float or a `Schedule`.

    Args:
        name: Name used in the error.
        value: Number, `Schedule`, or the dict that `keras.saving.serialize_keras_object` returns
            for a schedule.
        low: Minimum allowed value of the number or schedule, or None for no limit.
        high: Maximum allowed value of the number or schedule, or None for no limit.

    Raises:
        ValueError: If the value is neither a number nor a schedule, is not finite, or is out of
            range.

    Example: `weight("beta", Linear(1.0, 0.0, steps=10))` returns the schedule; a schedule from 1.0
    to -1.0 would be rejected.
    """
    result = _deserialized(value)
    if isinstance(result, Schedule):
        least, most = result.bounds
        verb = "reaches"
    elif _is_finite(result):
        result = float(result)
        verb = "is"
        least = most = result
    else:
        expected = "expected a finite number, a Schedule, or the saved config of a Schedule"
        raise ValueError(f"{name} is {shown(value)}: {expected}.")
    largest = max(-least, most)
    if largest > LARGEST_FLOAT:
        raise ValueError(
            f"{name} {verb} {largest:g} in magnitude: expected at most {LARGEST_FLOAT:g}."
        )
    if low is not None and least < low:
        raise ValueError(f"{name} {verb} {least:g}: expected at least {low:g}.")
    if high is not None and most > high:
        raise ValueError(f"{name} {verb} {most:g}: expected at most {high:g}.")
    return result


def between(low: float | None = None, high: float | None = None) -> Callable[[str, Any], Any]:
    """Returns a check for numbers or schedules in a range, for use in an argument's annotation."""
    return partial(weight, low=low, high=high)


Weight = Annotated[float | Schedule, weight]
"""A nonnegative number, or a schedule of nonnegative numbers."""


def _deserialized(value):
    if not isinstance(value, Mapping):
        return value
    try:
        return keras.saving.deserialize_keras_object(dict(value))
    except (TypeError, ValueError, KeyError):
        return value
