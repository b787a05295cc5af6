"""Numbers that depend on the step: learning rates, weights of losses, temperatures, noise levels.

A model stores such a number as `weight` returns it: a float or a `Schedule`. Its step reads it by
`self.scheduled(weight)`: the value of that step, and in evaluation the final one.
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


def _is_finite(value) -> bool:
    try:
        checked_number("value", value)
    except (TypeError, ValueError):
        return False
    return True


def checked_whole(name: str, value: Any, minimum: int) -> int:
    """Returns a whole number, such as 1000 or 1e3, of steps; a ValueError for another one."""
    if not _is_finite(value) or value % 1 or value < minimum:
        raise ValueError(
            f"{name} is {shown(value)}: expected a whole number of at least {minimum}."
        )
    return int(value)


class Schedule(Declared, keras.optimizers.schedules.LearningRateSchedule):
    """Base of the numbers that depend on the step; each is a Keras learning-rate schedule too.

    A subclass declares numbers, is registered for saving, and defines `_at` and `_ends`.

    Example:
    ```python
    beta: Schedule = Linear(0.0, 4.0, steps=100)
    beta(25), beta.final, beta.bounds  # 1.0, 4.0, (0.0, 4.0)
    ```
    """

    @override
    def __call__(self, step):
        """Returns the value after `step` steps (integer, or a tensor of it), a float32 scalar.

        Raises:
            TypeError: If `step` is not an integer, such as True.
            ValueError: If `step` is below 0.
        """
        dtype = getattr(step, "dtype", None)
        if dtype is None:
            step = checked_integer("step", step, minimum=0)
        elif keras.backend.standardize_dtype(dtype) in ("bool", "string"):
            raise TypeError(f"step must be an integer of at least 0, found {shown(step)}.")
        # float32 holds every step number up to 16.7 million exactly.
        return self._at(keras.ops.cast(step, "float32"))

    def _at(self, step):
        """The value at a float32 step."""
        raise NotImplementedError

    def _ends(self) -> tuple[float, float]:
        """The first value and the last; none lies outside of the two."""
        raise NotImplementedError

    @property
    def final(self) -> float:
        """The last value, which evaluation uses."""
        return self._ends()[1]

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest value that it can take."""
        return min(self._ends()), max(self._ends())


@keras.saving.register_keras_serializable("keras_gen")
class Constant(Schedule):
    """The same value at every step.

    Args:
        value: The value, a finite number.
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
    """From one value to another in equal differences, constant before and after.

    Args:
        start: Value up to step `delay`.
        end: Value from step `delay + steps`.
        steps: Steps from one to the other, at least 1.
        delay: Steps before it begins to change.

    Example: `Linear(0.0, 1.0, steps=100, delay=50)(75)` is 0.25.
    """

    start: float
    end: float
    steps: Annotated[int, partial(checked_whole, minimum=1)]
    delay: Annotated[int, partial(checked_whole, minimum=0)] = 0

    @override
    def _at(self, step):
        p = self._progress(step)
        # So written, both ends are met exactly.
        return (1.0 - p) * self.start + p * self.end

    def _progress(self, step):
        return keras.ops.clip((step - self.delay) / self.steps, 0.0, 1.0)

    @override
    def _ends(self):
        return self.start, self.end


@keras.saving.register_keras_serializable("keras_gen")
class Exponential(Linear):
    """From one value to another in equal ratios, constant before and after.

    Args:
        start, end, steps, delay: As of `Linear`; both ends have one sign and are not 0.

    Example: `Exponential(1.0, 0.01, steps=100)(50)` is 0.1.
    """

    @override
    def set_up(self):
        if self.start * self.end <= 0:
            raise ValueError(
                f"start is {self.start:g} and end {self.end:g}: equal ratios neither reach "
                "nor cross 0, so take two values of one sign, or Linear."
            )

    @override
    def _at(self, step):
        return self.start * (self.end / self.start) ** self._progress(step)


@keras.saving.register_keras_serializable("keras_gen")
class Sigmoid(Schedule):
    """From zero, fast at first and then saturating.

    Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 17(59), 2016, sec. 5.2.2:
    the weight of the domain classifier is 2 / (1 + exp(-gamma p)) - 1 at the fraction p of the
    training.

    Args:
        end: Limit of the value. At the last step it is `end` times tanh(steepness / 2).
        steps: Steps of the rise, at least 1; constant afterwards.
        steepness: The paper's gamma, above 0.

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
    """Constant for a while, then linear to zero, as CycleGAN trains (Zhu et al. 2017, sec. 4).

    Args:
        learning_rate: The constant rate, not negative.
        constant_steps: Steps at the constant rate.
        decay_steps: Steps from there to zero.

    Example: `ConstantThenLinear(2e-4, constant_steps=100 * 1072, decay_steps=100 * 1072)`.
    """

    learning_rate: NonNegative
    constant_steps: Annotated[int, partial(checked_whole, minimum=0)]
    decay_steps: Annotated[int, partial(checked_whole, minimum=1)]

    @classmethod
    def in_halves(cls, learning_rate: float, steps: int):
        """Returns the schedule of `steps` steps: half of them constant, half to zero."""
        return cls(learning_rate, steps // 2, steps - steps // 2)

    @override
    def _at(self, step):
        remaining = 1.0 - (step - self.constant_steps) / self.decay_steps
        return self.learning_rate * keras.ops.clip(remaining, 0.0, 1.0)

    @override
    def _ends(self):
        return self.learning_rate, 0.0


def final(weight) -> float:
    """Returns a number, or the final value of a schedule."""
    return weight.final if isinstance(weight, Schedule) else weight


def weight(
    name: str, value: Any, low: float | None = 0.0, high: float | None = None
) -> float | Schedule:
    """Checks a weight of a loss, temperature or noise level: returns a float or a `Schedule`.

    Args:
        name: Name in the error.
        value: A number, a `Schedule`, or a dict of `keras.saving.serialize_keras_object` of one.
        low: Smallest value of the number or schedule; None: any.
        high: Largest value; None: any.

    Raises:
        ValueError: If it is something else, not finite, or out of its range.

    Example: `weight("beta", Linear(1.0, -1.0, steps=10))` raises: beta must not be negative.
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
        expected = "expected a finite number, a Schedule, or the saved config of one"
        raise ValueError(f"{name} is {shown(value)}: {expected}.")
    if low is not None and least < low:
        limit = f"below {low:g}" if low else "negative"
        raise ValueError(f"{name} {verb} {least:g}: it must not be {limit}.")
    if high is not None and most > high:
        raise ValueError(f"{name} {verb} {most:g}: it must not be above {high:g}.")
    return result


def between(low: float | None = None, high: float | None = None) -> Callable[[str, Any], Any]:
    """Returns the check of a number or schedule in a range, for the annotation of an argument."""
    return partial(weight, low=low, high=high)


Weight = Annotated[float | Schedule, weight]
"""A number of at least 0, or a schedule of it."""


def _deserialized(value):
    if not isinstance(value, Mapping):
        return value
    try:
        return keras.saving.deserialize_keras_object(dict(value))
    except (TypeError, ValueError, KeyError):
        return value
