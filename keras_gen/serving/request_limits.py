"""Limits on requests to an export, checked before any computation."""

import contextlib
import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from keras_gen.core.capabilities import MOST_SAMPLES, samples_checked
from keras_gen.keras_internals import all_layers, own_weights
from keras_gen.tensor_checks import require

MOST_EXAMPLES = MOST_SAMPLES
"""Maximum number of examples in a request, or of generated samples."""
MOST_ELEMENTS = 3 * 2**20
"""Maximum number of elements, or bytes of strings, in an input: a 1,024 x 1,024 RGB image."""
MOST_ACTIVATIONS = 3 * 2**23
"""Maximum number of outputs of the largest layer for all examples in a request, 96 MiB. A gated
PixelCNN uses up to eleven times as much memory at once."""
MOST_MULTIPLICATIONS = 2**41
"""Maximum number of multiplications by weights in a request that evaluates its network many times:
about a minute on one core."""


class LargestRequest(NamedTuple):
    """The limits on a request.

    Attributes:
        examples: Maximum number of examples in an input, and of generated samples.
        elements: Maximum number of elements in an input, or of bytes in its strings.
        steps: Maximum product of the number of samples and the number of steps per sample; None if
            there are no steps.
    """

    examples: int
    elements: int
    steps: int | None = None

    def described(self) -> dict[str, int]:
        """Returns a dict of the limits that are not None, for the metadata."""
        return {name: most for name, most in self._asdict().items() if most is not None}


def largest_request(model: Any, networks: Iterable[Any]) -> LargestRequest:
    """Returns the limits on requests to those signatures of a model that read these networks.

    The limits keep the memory for the largest request below 2 GiB. Networks with larger layers
    accept fewer examples. A model whose inputs may have any size and require much memory defines
    its limits in `most_elements` and `most_examples`.

    Example:
        >>> largest_request(model, model.networks.values())    # doctest: +SKIP
        LargestRequest(examples=1024, elements=3145728)
    """
    numbers = max(map(largest_output, networks), default=1)
    most = getattr(model, "most_examples", MOST_EXAMPLES)
    examples = max(1, min(most, MOST_ACTIVATIONS // numbers))
    return LargestRequest(examples, getattr(model, "most_elements", MOST_ELEMENTS))


def of_signature(
    largest: LargestRequest, model: Any, name: str, function: Any
) -> LargestRequest:
    """Returns a signature's limits, which are lower if it evaluates the network many times.

    A model's `evaluations` maps the name of a signature to the number of times that it evaluates
    `model.network` for an example, or in each of the steps that clients choose. A single sample may
    use any number of steps.
    """
    evaluations = getattr(model, "evaluations", {}).get(name)
    if not evaluations:
        return largest
    most = MOST_MULTIPLICATIONS // max(1, evaluations * multiplications(model.network))
    most_steps = getattr(function, "limits", {}).get("steps")
    if most_steps:
        most = max(most, most_steps[1])
        return largest._replace(steps=min(most, largest.examples * most_steps[1]))
    return largest._replace(examples=max(1, min(most, largest.examples)))


def multiplications(network: Any) -> int:
    """Returns the number of multiplications by weights per example; open axes count as 1."""
    total = 0
    for layer in all_layers(network):
        outputs: list = []
        with contextlib.suppress(AttributeError):  # a layer outside the graph
            outputs = tf.nest.flatten(layer.output)
        places = math.prod(size or 1 for size in outputs[0].shape[1:-1]) if outputs else 1
        kernels = [weights for weights in own_weights(layer) if len(weights.shape) > 1]
        total += places * sum(math.prod(kernel.shape) for kernel in kernels)
    return total


def largest_output(network: Any) -> int:
    """Returns the number of outputs of the largest layer per example; open axes count as 1."""
    sizes = [1]
    for layer in all_layers(network):
        with contextlib.suppress(AttributeError):  # a layer outside the graph
            outputs = tf.nest.flatten(layer.output)
            sizes += [math.prod(size or 1 for size in output.shape[1:]) for output in outputs]
    return max(sizes)


def checked(inputs: Mapping[str, tf.Tensor], largest: LargestRequest) -> tuple[tf.Tensor, ...]:
    """Returns inputs; rejects requests without examples or with too many examples or elements."""
    found = {name: _checked(name, tensor, largest) for name, tensor in inputs.items()}
    if largest.steps is not None:
        with tf.control_dependencies(
            [_require_steps(found["n"], found["steps"], largest.steps)]
        ):
            found["n"] = tf.identity(found["n"])
    return tuple(found.values())


def _require_steps(n: tf.Tensor, steps: tf.Tensor, most: int) -> tf.Operation:
    """Checks that n samples with this number of steps each do not exceed the limit."""
    sentence = (
        f"n is {{}} and steps is {{}}: expected n of at most {{}} for this number of steps, "
        f"because n * steps may be at most {most}. Send several requests with different seeds."
    )
    total = tf.cast(n, tf.int64) * tf.cast(steps, tf.int64)
    others_refuse = (n < 1) | (n > MOST_SAMPLES) | (steps < 1) | (steps > most)
    return require(
        (total <= most) | others_refuse, sentence, n, steps, most // tf.maximum(steps, 1)
    )


def _checked(name: str, tensor: tf.Tensor, largest: LargestRequest) -> tf.Tensor:
    if not tensor.shape.rank:
        is_count = name == "n" and largest.examples < MOST_SAMPLES
        return samples_checked(tensor, largest.examples) if is_count else tensor
    tensor = examples_checked(name, tensor, largest)
    with tf.control_dependencies([require_elements(name, _size(tensor), largest)]):
        return tf.identity(tensor)


def examples_checked(name: str, tensor: tf.Tensor, largest: LargestRequest) -> tf.Tensor:
    """Returns an input `[examples, ...]`; rejects inputs with no or too many examples."""
    count = tf.shape(tensor)[0]
    most = largest.examples
    sentence = (
        f"{name} contains {{}} examples: expected 1 to {most}. Send more in several requests."
    )
    fits = (count > 0) & (count <= most)
    with tf.control_dependencies([require(fits, sentence, count)]):
        return tf.identity(tensor)


def require_elements(name: str, count: tf.Tensor, largest: LargestRequest) -> tf.Operation:
    """Checks the number of elements in an input."""
    most = largest.elements
    sentence = (
        f"{name} has {{}} elements in total: expected at most {most}. Send fewer or smaller "
        "examples."
    )
    return require(count <= most, sentence, count)


def _size(tensor: tf.Tensor) -> tf.Tensor:
    """Returns the number of elements in a tensor, or of bytes in its strings, int64."""
    if tensor.dtype == tf.string:
        return tf.reduce_sum(tf.cast(tf.strings.length(tensor), tf.int64))
    return tf.size(tensor, tf.int64)
