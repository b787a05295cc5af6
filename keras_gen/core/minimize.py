"""Weight updates: computing and applying the gradients of losses."""

import contextlib
import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from keras_gen.arguments import checked_flag, shown
from keras_gen.core.distribution import global_mean, global_sum, replica_count
from keras_gen.core.optimizers import corrected, fused
from keras_gen.core.step import refuse_training

NOT_FINITE = "keras_gen: not finite: "


class NonFiniteLossError(FloatingPointError):
    """Raised when a loss, a gradient, or a weight becomes NaN or infinite.

    The step does not change the weights that the affected loss trains. Networks that the step has
    already updated, such as a discriminator that is updated before the generator, keep their new
    weights.
    """


_float32 = functools.partial(tf.cast, dtype=tf.float32)


@dataclasses.dataclass(frozen=True)
class Gradients:
    """The gradients of a loss, before they are applied.

    Attributes:
        loss: Loss, float32 `[batch]`, as returned by the loss function.
        rest: Tuple of the loss function's additional outputs.
        variables: Weights, without duplicates.
        values: This replica's part of the gradient of the global batch's mean loss with respect to
            each weight, multiplied by the loss scale if the optimizer has one.
        checked: Operation that checks that the loss is finite. Updates must wait for this
            operation.
        name: Name of the loss function, used in errors.
    """

    loss: tf.Tensor
    rest: tuple
    variables: list
    values: list
    checked: tf.Tensor
    name: str


def trainable_weights(*networks) -> list:
    """Returns the trainable weights of networks; a shared weight is listed once."""
    found = {}
    for network in networks:
        for weight in network.trainable_variables:
            found[id(weight)] = weight
    return list(found.values())


def gradients(
    loss_fn: Callable, optimizer: keras.optimizers.Optimizer, *networks, xla: bool = False
) -> Gradients:
    """Computes the gradients of a loss with respect to the trainable weights of `networks`.

    Use this function if the gradients are changed before they are applied; otherwise, use
    `minimize`.

    Args:
        loss_fn: Function without arguments that returns a loss `[batch]`, or a tuple of a loss and
            outputs to reuse.
        optimizer: Built `keras.optimizers.Optimizer`, used for its loss scale.
        *networks: Models or layers.
        xla: Whether XLA compiles the loss and the gradients if they are computed in a graph. XLA
            does not support checks, so checks run outside the compiled part.

    Raises:
        ValueError: If there are no trainable weights, or if a weight has no gradient. A loss that
            is NaN or infinite raises an error at run time.
    """
    if not callable(loss_fn):
        raise TypeError(f"loss_fn is {shown(loss_fn)}: expected a function without arguments.")
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise TypeError(
            f"optimizer is {shown(optimizer)}: expected a keras.optimizers.Optimizer."
        )
    checked_flag("xla", xla)
    name = getattr(loss_fn, "__name__", "the loss")  # a partial function has no name
    weights = trainable_weights(*networks)
    if not weights:
        names = ", ".join(network.name for network in networks) or "at least one network"
        raise ValueError(
            f"{name} has nothing to update: expected trainable weights in {names}. Set `trainable "
            "= True` before `compile`."
        )
    # `tape.watch` accepts tf.Variable, but not keras.Variable.
    values = [weight.value for weight in weights]

    def differentiate():
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            result = loss_fn()
            loss, *rest = result if isinstance(result, tuple) else (result,)
            part = global_mean(loss)
            objective = optimizer.scale_loss(part)
        return loss, rest, part, tape.gradient(objective, values)

    if xla and not tf.executing_eagerly():
        differentiate = tf.function(differentiate, autograph=False, jit_compile=True)
    loss, rest, part, slopes = differentiate()
    part = tf.debugging.check_numerics(part, NOT_FINITE + name)
    for weight, slope in zip(weights, slopes, strict=True):
        if slope is None:
            raise ValueError(
                f"{name} does not depend on {weight.path}: every trainable weight of the network "
                "must contribute to its loss. Freeze weights that do not contribute."
            )
    return Gradients(loss, tuple(rest), weights, slopes, part, name)


def joint_gradients(*players: tuple) -> tuple[list[Gradients], list[list]]:
    """Computes the gradients of several losses, and the gradients of their joint squared norm.

    Each player has a loss and its own weights. The vector v is the concatenation of the players'
    gradients on the *global* batch. It is the vector field along which the players move
    simultaneously.
    |v|^2 / 2 is 0 where no player moves.

    Args:
        *players: Tuples `(loss_fn, optimizer, networks)`; see `gradients`.

    Returns:
        Two lists with one element per player. The first list contains the player's `Gradients`; the
        second list contains the gradients of |v|^2 / 2 with respect to the player's weights, in the
        order and at the scale of `values`.

    Raises:
        ValueError: See `gradients`.

    Example:
    ```python
    (d, g), slopes = joint_gradients(
        (d_loss, d_optimizer, [discriminator]), (g_loss, g_optimizer, [generator])
    )
    ```
    """
    networks = [network for *_, own in players for network in own]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([v.value for v in trainable_weights(*networks)])
        found = [gradients(loss_fn, optimizer, *own) for loss_fn, optimizer, own in players]
        scales = [optimizer.scale_loss(tf.constant(1.0)) for _, optimizer, _ in players]
        parts = zip(found, scales, strict=True)
        field = [tf.convert_to_tensor(g) / scale for part, scale in parts for g in part.values]
        # The sum over replicas is held constant: each replica computes the gradient of only its own
        # part, and the optimizers sum these gradients. The norm is scaled, so that the gradients do
        # not vanish in float16.
        whole = [tf.stop_gradient(global_sum(v)) for v in field]
        norm = tf.add_n([tf.reduce_sum(v * w) for v, w in zip(field, whole, strict=True)])
        norm *= scales[0]
    of_each = tape.gradient(
        norm, [[v.value for v in part.variables] for part in found], unconnected_gradients="zero"
    )
    slopes = [
        [tf.convert_to_tensor(slope) * (scale / scales[0]) for slope in own]
        for own, scale in zip(of_each, scales, strict=True)
    ]
    return found, slopes


def apply_gradients(
    optimizer: keras.optimizers.Optimizer, *parts: Gradients, name: str = "loss"
):
    """Applies gradients with an optimizer, and returns an operation to wait for.

    If gradients or their squares are NaN or infinite, an error is raised before anything changes.
    With a loss scale, NaN and infinity count as an overflow, and the optimizer skips the step
    instead.

    Args:
        optimizer: Built `keras.optimizers.Optimizer`.
        *parts: One or more return values of `gradients`, possibly with modified `values`.
        name: Name of the loss, used in the error.

    Raises:
        RuntimeError: If called in a step that does not train.
    """
    refuse_training()
    variables: list = []
    values: list = []
    checks: list = []
    for part in parts:
        variables += part.variables
        values += map(tf.convert_to_tensor, part.values)
        checks.append(part.checked)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        values = _spread_overflow(values)
    else:
        # The squared norm is checked, because checking every number is much slower. Gradients whose
        # squares overflow are also rejected, because Adam averages these squares.
        norm = tf.linalg.global_norm(list(map(_float32, values)))
        checks.append(tf.debugging.check_numerics(norm, f"{NOT_FINITE}{name}'s_gradient"))
    # Without this dependency, a graph could update the weights before the checks.
    with tf.control_dependencies(checks), fused(optimizer), corrected(optimizer):
        optimizer.apply(values, variables)
        return tf.group(*checks)


def minimize(
    loss_fn: Callable, optimizer: keras.optimizers.Optimizer, *networks, xla: bool = False
) -> Any:
    """Takes one step of `optimizer` on the trainable weights of `networks` only.

    Handles the mean over the global batch, the loss scale of `mixed_float16`, and weights shared by
    networks, and checks that the loss and its gradients are finite *before* anything changes. All
    outputs wait for this check.

    Args:
        loss_fn: Function without arguments that returns a loss `[batch]`, or a tuple of a loss and
            outputs to reuse.
        optimizer: Built `keras.optimizers.Optimizer`.
        *networks: Models or layers to update.
        xla: See `gradients`.

    Returns:
        The return value of the loss function, computed before the update.

    Raises:
        ValueError: See `gradients`.
        tf.errors.InvalidArgumentError: If the loss or a gradient is NaN or infinite.

    Example:
    ```python
    loss = minimize(lambda: tf.reduce_sum(network(x) ** 2, -1), optimizer, network)
    ```
    """
    found = gradients(loss_fn, optimizer, *networks, xla=xla)
    updated = apply_gradients(optimizer, found, name=found.name)
    with tf.control_dependencies([] if updated is None else [updated]):
        loss, *rest = tf.nest.map_structure(tf.identity, (found.loss, *found.rest))
    return (loss, *rest) if found.rest else loss


_mappings: list[list] = [[]]


@contextlib.contextmanager
def stateless(network: keras.Model | None = None, weights=(), state=()):
    """Opens a block in which networks compute without changing their state.

    Moving statistics and counters are read but not updated. Penalties use such blocks, as do
    networks in `tf.cond` on replicas (except with synchronized batch normalization in training
    mode).

    Args:
        network: Built `keras.Model` that computes with the values in `weights` instead of its own.
        weights: Values for the trainable weights, in the order of `network.trainable_variables`.
        state: Pairs of another variable and its value, as returned by `state_of`.

    Example:
    ```python
    ahead = [w - 0.1 * g for w, g in zip(weights, slopes)]
    with stateless(critic, ahead):
        logits = critic(images, training=True)
    ```
    """
    mapping = list(_mappings[-1])  # a nested block keeps the weights of the outer block
    if network is not None:
        mapping += zip(network.trainable_variables, weights, strict=True)
    mapping += state
    _mappings.append(mapping)
    try:
        with keras.StatelessScope(state_mapping=mapping):
            yield
    finally:
        _mappings.pop()


def state_of(*networks) -> list[tuple]:
    """Returns the networks' other variables with their current values, as pairs for `stateless`.

    The variables include the counters of random layers, so two forward passes from the same state
    sample the same masks.
    """
    variables = [v for network in networks for v in network.non_trainable_variables]
    return [(variable, tf.identity(variable.value)) for variable in variables]


def _spread_overflow(values):
    """Shares an overflow with all replicas, so that all of them skip the step."""
    if replica_count() == 1:
        return values
    finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(g)) for g in values])
    overflow = global_sum(tf.cast(finite, tf.float32)) < replica_count()
    return [tf.where(overflow, tf.constant(float("inf"), g.dtype), g) for g in values]
