"""Analysis of how a training step changes a model's weights at any point in weight space."""

from __future__ import annotations

import numpy as np

from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import GenerativeModel
from keras_gen.core.fit import TrainOnBatchCall
from keras_gen.core.minimize import NonFiniteLossError, trainable_weights


@checked_arguments
def update_field(model: GenerativeModel, batch, points: np.ndarray) -> np.ndarray:
    """Returns the change of a model's weights in one training step, at each of several points.

    The step is the model's own training step, including the order in which its networks are
    updated, its penalties, and its optimizers. With gradient descent at rate h, the result divided
    by h is therefore the vector field of the game.

    Args:
        model: Compiled `GenerativeModel` with few weights, which remains unchanged.
        batch: Batch for the step, an array or a tuple of arrays, as accepted by `fit`.
        points: Flattened values of all trainable weights, `[n, weights]`, in the order of
            `model.networks` and of each network's weights.

    Returns:
        The weights after the step minus the weights before the step, float64 `[n, weights]`. All
        points use the same noise.

    Raises:
        TypeError: If an argument has a different type.
        ValueError: If the points do not have the shape above or are not finite, if the batch does
            not match the model, or if a step yields a loss or a gradient that is not finite.

    Example:
    ```python
    from keras_gen.gan import GAN
    from keras_gen.networks import dirac_networks

    model = GAN(*dirac_networks(), data="vectors")
    model.compile(d_optimizer="sgd", g_optimizer="sgd")
    arrows = update_field(model, np.zeros((1, 1)), np.array([[1.0, 0.0], [0.0, 1.0]]))
    ```
    """
    points = points.astype(np.float64)

    def visit(reset, step):
        found = []
        for point in points:
            reset(point)
            found.append(step() - point)
        return np.stack(found)

    return _with_steps(model, batch, visit)


@checked_arguments
def update_jacobian(
    model: GenerativeModel, batch, point: np.ndarray, difference: float = 0.05
) -> np.ndarray:
    """Returns the Jacobian of a training step at a point, as a map from weights to weights.

    Repeated steps approach a fixed point if all eigenvalues of the Jacobian at that point have
    absolute values below 1 (Mescheder, Nowozin, Geiger: "The Numerics of GANs", NeurIPS 2017,
    proposition 3). The steps circle around the fixed point if the largest absolute value is 1, and
    move away from it if the largest absolute value is above 1. For simultaneous gradient descent at
    rate h on a vector field with Jacobian J, the result is 1 + h J, where 1 is the identity matrix.

    Args:
        model: Model; see `update_field`.
        batch: Batch; see `update_field`.
        point: Values of all weights, `[weights]`.
        difference: Half of the distance between the two points in the difference quotient.

    Returns:
        The Jacobian, float64 `[weights, weights]`. Row i contains the derivatives of weight i after
        the step with respect to all weights before the step.

    Example: `np.linalg.eigvals(update_jacobian(model, np.zeros((1, 1)), np.zeros(2)))`.
    """
    point = point.astype(np.float64)
    offsets = difference * np.eye(len(point))
    points = np.concatenate([point + offsets, point - offsets])
    above, below = np.split(points + update_field(model, batch, points), 2)
    return ((above - below) / (2 * difference)).T


@checked_arguments
def trajectory(model: GenerativeModel, batch, point: np.ndarray, steps: int) -> np.ndarray:
    """Returns the weights over several training steps on one batch, float64 `[steps + 1, weights]`.

    Args:
        model: Model; see `update_field`.
        batch: Batch; see `update_field`.
        point: Initial weights, `[weights]`, which are the first row of the result.
        steps: Number of steps.

    Example: `trajectory(model, np.zeros((1, 1)), np.array([1.0, 1.0]), steps=100)`.
    """
    point = point.astype(np.float64)

    def visit(reset, step):
        reset(point)
        return np.stack([point, *(step() for _ in range(steps))])

    return _with_steps(model, batch, visit)


def _with_steps(model, batch, visit):
    """Calls `visit` with two functions: one sets the weights; the other takes a training step."""
    weights = trainable_weights(*model.networks.values())
    size = sum(int(np.prod(w.shape)) for w in weights)
    variables = model.training_variables()
    values = [v.value.numpy() for v in variables]

    def restore():
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def reset(point):
        if point.shape != (size,):
            raise ValueError(
                f"A point has shape {point.shape}: expected ({size},), for the trainable "
                "weights."
            )
        restore()
        ends = np.cumsum([int(np.prod(w.shape)) for w in weights])[:-1]
        for weight, part in zip(weights, np.split(point, ends), strict=True):
            weight.assign(part.reshape(weight.shape))

    def on_batch(x, y=None):
        model.make_train_function()
        data = (x,) if y is None else (x, y)

        def step():
            model.train_function(iter([data]))
            return np.concatenate([w.numpy().ravel() for w in weights]).astype(np.float64)

        return visit(reset, step)

    parts = batch if isinstance(batch, tuple) else (batch,)
    try:
        return TrainOnBatchCall(model, on_batch, parts, {}).run()
    except (NonFiniteLossError, TypeError, ValueError) as error:
        raise ValueError(
            f"No step is possible with this batch and these points: {error}"
        ) from error
    finally:
        restore()
        model.reset_metrics()
