"""The step that is currently running, its model, and whether the step trains."""

import contextlib
import contextvars
import functools
from collections.abc import Callable
from typing import NamedTuple

import keras

from keras_gen.core.optimizers import replaced


class Step(NamedTuple):
    """A running step of a model.

    Attributes:
        model: Model that owns the step, or None if no step is running.
        training: Whether the step trains.
        begun: Whether `train_step` or `test_step` has begun. This method counts the step when the
            method ends.
    """

    model: keras.Model | None = None
    training: bool = False
    begun: bool = False


NO_STEP = Step()
# The running step is a context variable instead of an attribute of the model, because replicas are
# threads, which share the model and wait for each other inside a step.
running: contextvars.ContextVar[Step] = contextvars.ContextVar("running", default=NO_STEP)


@contextlib.contextmanager
def inside(step: Step):
    """Opens a block in which the given step is running."""
    token = running.set(step)
    try:
        yield
    finally:
        running.reset(token)


def training_step(model: keras.Model) -> contextlib.AbstractContextManager:
    """Opens a block in which a model computes as in its next training step.

    Networks, noise, and schedules all behave as in that step. Use the block in tests, or to try the
    parts of a step one at a time. Weights do not change unless code in the block changes them.

    Args:
        model: `GenerativeModel`.

    Example:
    ```python
    with training_step(model):
        batch = model.prepare_batch(images)
        terms = model.terms(batch)  # with the noise and the dropout of the next step
    ```
    """
    return inside(Step(model, training=True))


def as_step(function: Callable, training: bool) -> Callable:
    """Turns a method into a step, which sets `self.training` and passes its report to `counted`.

    A step called inside another step of the same model, for example through
    `super().train_step(data)`, is part of that step.
    """

    @functools.wraps(function)
    def run(self, data):
        now = running.get()
        if now.begun and now.model is self:
            return function(self, data)
        with inside(Step(self, training, begun=True)):
            return self.counted(function(self, data))

    run.trains = training  # type: ignore[attr-defined]
    return run


def taken_dry(model, data) -> dict:
    """Runs a training step in which `minimize` only returns the loss; metrics are updated."""
    with contextlib.ExitStack() as dry:
        for name in model.players() if model.compiled else ():
            # Optimizers must not update weights here, because the end of the scope would not undo
            # updates.
            dry.enter_context(replaced(getattr(model, name), apply=refuse_training))
        scope = dry.enter_context(keras.StatelessScope())
        # The class's method is called, because the object's attribute may be a graph traced in
        # training.
        losses = type(model).train_step(model, data)
    for variable in (v for metric in model.metrics for v in metric.variables):
        if (value := scope.get_current_value(variable)) is not None:
            variable.assign(value)
    return losses


def refuse_training(*args, **kwargs) -> None:
    """Replaces an `apply` method; raises a RuntimeError in a step that does not train."""
    now = running.get()
    if now.model is not None and not now.training:
        raise RuntimeError(
            f"{type(now.model).__name__}.train_step would update weights in evaluate, which must "
            "not train the model: use self.minimize for the updates, or define a test_step."
        )
