"""Checks of the tensors that losses receive, by name, before anything is computed."""

from __future__ import annotations

import functools
import inspect

import tensorflow as tf

from keras_gen.arguments import shown
from keras_gen.checked_arguments import checked_tensor


def of_tensors(*names: str, one_batch: bool = True, function: str | None = None):
    """Returns a decorator that rejects arguments that are not numbers, each with its name.

    Arrays and lists of numbers become tensors with their own dtype; None stays None. If TensorFlow
    cannot compute with the shapes, the message lists all of them.

    Args:
        names: Names of arguments that are tensors.
        function: Name of an argument that is a function, if there is one.
        one_batch: Whether all arguments with axes must have equal numbers of examples, the size of
            their first axis.

    Example:
        >>> @of_tensors("x")
        ... def halved(x: tf.Tensor) -> tf.Tensor:
        ...     return x / 2
        >>> halved("one")
        Traceback (most recent call last):
        TypeError: x is 'one': expected a tensor of numbers.
    """

    def decorate(loss):
        signature = inspect.signature(loss)

        @functools.wraps(loss)
        def checked(*args, **kwargs):
            bound = signature.bind(*args, **kwargs)
            if function and not callable(bound.arguments[function]):
                found = shown(bound.arguments[function])
                raise TypeError(f"{function} is {found}: expected a function of tensors.")
            tensors = {
                name: checked_tensor(name, bound.arguments[name])
                for name in names
                if bound.arguments.get(name) is not None
            }
            if one_batch:
                _require_one_batch(tensors)
            bound.arguments.update(tensors)
            try:
                return loss(*bound.args, **bound.kwargs)
            except (AttributeError, TypeError, ValueError) as error:
                missing = [name for name in names if bound.arguments.get(name, "") is None]
                if not missing or "None" not in str(error):
                    raise
                raise TypeError(
                    f"{missing[0]} is None: expected a tensor of numbers."
                ) from error
            except tf.errors.InvalidArgumentError as error:
                raise ValueError(
                    f"{_shapes(tensors)}: expected the shapes and values described in "
                    f"{loss.__name__}."
                ) from error

        return checked

    return decorate


def _require_one_batch(tensors: dict[str, tf.Tensor]) -> None:
    sizes = {tensor.shape[0] for tensor in tensors.values() if tensor.shape.rank}
    if len(sizes - {None}) > 1:
        raise ValueError(
            f"{_shapes(tensors)}: expected equal numbers of examples, the first axis."
        )


def _shapes(tensors: dict[str, tf.Tensor]) -> str:
    return ", ".join(f"{name} has shape {tensor.shape}" for name, tensor in tensors.items())
