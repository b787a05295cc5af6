"""Functions that all losses share: tensor checks, lookup by name, and per-example reductions."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Mapping
from typing import Any, TypeVar

import keras
import tensorflow as tf

from keras_gen.arguments import shown
from keras_gen.checked_arguments import checked_tensor, with_bound


def of_tensors(*names: str, one_batch: bool = True, function: str | None = None):
    """Returns a decorator that rejects tensor arguments that are not numbers.

    The error message contains the name of the argument. Arrays and lists of numbers are converted
    to tensors of the same dtype; None is passed through. If TensorFlow cannot compute with the
    shapes of the arguments, the error message lists all shapes.

    Args:
        names: Names of the tensor arguments. One name may be `*tensors`, which represents any
            number of tensors.
        function: Name of the argument that is a function, if there is one.
        one_batch: Whether all arguments that have axes must have the same number of examples. The
            number of examples is the size of the first axis.

    Example:
        >>> @of_tensors("x")
        ... def halved(x: tf.Tensor) -> tf.Tensor:
        ...     return x / 2
        >>> halved("one")
        Traceback (most recent call last):
        TypeError: x is 'one': expected a tensor of numbers.
    """

    def decorate(loss):
        @contextlib.contextmanager
        def check(bound):
            arguments = bound.arguments
            if function and not callable(arguments[function]):
                found = shown(arguments[function])
                raise TypeError(f"{function} is {found}: expected a function of tensors.")
            parameters = bound.signature.parameters
            tensors = {}
            for name in names:
                if parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
                    values = enumerate(arguments.get(name, ()))
                    found = {
                        f"{name}[{i}]": checked_tensor(f"{name}[{i}]", v) for i, v in values
                    }
                    arguments[name] = tuple(found.values())
                    tensors |= found
                elif arguments.get(name) is not None:
                    tensors[name] = arguments[name] = checked_tensor(name, arguments[name])
            if one_batch:
                _require_one_batch(tensors)
            try:
                yield
            except (AttributeError, TypeError, ValueError) as error:
                missing = [name for name in names if arguments.get(name, "") is None]
                if not missing or "None" not in str(error):
                    raise
                raise TypeError(
                    f"{missing[0]} is None: expected a tensor of numbers."
                ) from error
            except tf.errors.InvalidArgumentError as error:
                raise ValueError(
                    f"{_shapes(tensors)}: expected the shapes and values described in "
                    f"the docstring of {loss.__name__}."
                ) from error

        return with_bound(loss, check)

    return decorate


def _require_one_batch(tensors: dict[str, tf.Tensor]) -> None:
    sizes = {tensor.shape[0] for tensor in tensors.values() if tensor.shape.rank}
    if len(sizes - {None}) > 1:
        raise ValueError(
            f"{_shapes(tensors)}: expected the same number of examples on the first axis of each."
        )


def _shapes(tensors: dict[str, tf.Tensor]) -> str:
    return ", ".join(f"{name} has shape {tensor.shape}" for name, tensor in tensors.items())


T = TypeVar("T")


def serializable(cls: type[T]) -> type[T]:
    """Registers a subclass of `Declared`, so that Keras saves instances under the class name."""
    return keras.saving.register_keras_serializable("keras_gen")(cls)


def resolve(identifier: Any, known: Mapping[str, type[T]], base: type[T], kind: str) -> T:
    """Converts a name, a saved config, or an instance into an instance.

    Args:
        identifier: Key in `known`, config from `keras.saving.serialize_keras_object`, or instance
            of `base`.
        known: Dict from names to classes. A name selects an instance of the class with default
            arguments.
        base: Class of the result.
        kind: Description of the class, which is used in the error message.

    Raises:
        ValueError: If `identifier` is not one of the above.
    """
    result = identifier
    if isinstance(identifier, str) and identifier in known:
        result = known[identifier]()
    elif isinstance(identifier, Mapping) and "class_name" in identifier:
        result = keras.saving.deserialize_keras_object(dict(identifier))
    if not isinstance(result, base):
        raise ValueError(
            f"Unknown {kind} {identifier!r}: pass one of the names {', '.join(sorted(known))}, an "
            f"instance of {base.__name__}, or the config of such an instance."
        )
    return result


def per_example_mean(values: tf.Tensor) -> tf.Tensor:
    """Returns the mean over all axes except the first: `[batch, ...]` to `[batch]`."""
    if not values.shape.rank:
        raise _no_batch(values)
    return tf.reduce_mean(values, axis=list(range(1, values.shape.rank)))


def per_example_sum(values: tf.Tensor) -> tf.Tensor:
    """Returns the sum over all axes except the first: `[batch, ...]` to `[batch]`."""
    if not values.shape.rank:
        raise _no_batch(values)
    return tf.reduce_sum(values, axis=list(range(1, values.shape.rank)))


def softmax(logits) -> tf.Tensor:
    """Returns the probabilities over the last axis of a tensor with any number of axes.

    On some CPUs, `tf.nn.softmax` accepts at most 5 axes, whereas `tf.nn.log_softmax` accepts any
    number of axes.
    """
    return tf.exp(tf.nn.log_softmax(logits))


@tf.custom_gradient
def softplus(x: tf.Tensor):
    """Returns log(1 + exp(x)) of floats of any shape.

    The result has the absolute precision of a float32 number near 1; smaller digits are lost. On
    CPUs, the function takes half as long as `tf.nn.softplus`. The gradient, sigmoid(x), is defined
    explicitly, because the automatic gradient of the two terms would be wrong at 0.
    """

    def gradient(upstream):
        return upstream * tf.sigmoid(x)

    # The sigmoid of |x| is at least 1/2, so its logarithm is finite.
    return tf.nn.relu(x) - tf.math.log(tf.sigmoid(tf.abs(x))), gradient


def log_sigmoid(x: tf.Tensor) -> tf.Tensor:
    """Returns log(1 / (1 + exp(-x))) of floats of any shape, computed with `softplus`."""
    return -softplus(-x)


def _no_batch(values: tf.Tensor) -> ValueError:
    return ValueError(
        f"Expected a tensor of shape [batch, ...], but found shape {values.shape}: pass a tensor "
        "with a batch axis and a known number of axes."
    )


def l1(a, b) -> tf.Tensor:
    """Returns the mean absolute difference between two batches, `[batch]`; `b` is float32."""
    return per_example_mean(tf.abs(tf.cast(a, tf.float32) - b))


def drawn_outcome(logits: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """Samples outcomes `[...]` from a softmax, by inversion of the cumulative distribution.

    Args:
        logits: Logits `[..., outcomes]`.
        uniform: Uniform noise in [0, 1), `[..., 1]`.
    """
    cumulative = tf.cumsum(softmax(logits), axis=-1)
    # The last sum is 1 except for rounding errors. An outcome with probability 0 is never sampled.
    passed = cumulative[..., :-1] <= uniform * cumulative[..., -1:]
    return tf.reduce_sum(tf.cast(passed, tf.int32), axis=-1)
