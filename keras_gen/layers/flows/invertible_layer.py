"""The base class of invertible layers, and chains of such layers."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import DeclaredLayer


class InvertibleLayer(DeclaredLayer):
    """Base class for layers y = f(x) with an inverse and a known log |det dy/dx|.

    The density of x follows from log p(x) = log p(f(x)) + log |det dy/dx| (Dinh, Sohl-Dickstein,
    Bengio: "Density Estimation Using Real NVP", ICLR 2017, eq. (3)).

    A subclass defines `call` and `inverse`. It also defines `y_shape` if y and x differ in shape,
    `condition_shape` if it accepts a condition, and `after_update` if it has state other than its
    trainable weights. `call` never changes state. It returns statistics for the new state, which
    the model passes to `after_update` once the weights are updated. A step whose loss is not finite
    thus changes nothing. Values are float32 regardless of `dtype`, because rounded values cannot be
    inverted; networks inside a layer follow the dtype policy.

    Example:
    ```python
    class Doubling(InvertibleLayer):
        def call(self, x, condition=None, training=False):
            log_det = tf.fill(tf.shape(x)[:1], x.shape[-1] * tf.math.log(2.0))
            return 2 * x, log_det, ()

        def inverse(self, y, condition=None):
            return y / 2


    y, log_det, statistics = Doubling()(tf.ones([3, 2]))
    ```
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs | {"dtype": "float32"})

    def call(self, x, condition=None, training: bool = False) -> tuple:
        """Transforms data in the direction of the latents.

        Args:
            x: Examples, or the output of the previous layer, float32 `[batch, ...]`.
            condition: Condition of a density p(x | condition), `[batch, ...]`, or None.
            training: Whether this is a training step.

        Returns:
            y, float32 `[batch, ...]`; log |det dy/dx| of each example, float32 `[batch]`, in nats;
            and the statistics for `after_update`, a tuple of tensors that is empty if the layer has
            no such state.
        """
        raise NotImplementedError

    def inverse(self, y, condition=None) -> tf.Tensor:
        """Returns the x for which `call` (with `training=False`) returns y, `[batch, ...]`."""
        raise NotImplementedError

    def after_update(self, statistics: tuple) -> None:
        """Updates the layer's state with the statistics that `call` returned in this step."""
        return  # AutoGraph cannot transform a function that is only a docstring.

    def y_shape(self, x_shape: tuple) -> tuple:
        """Returns the shape of y for the shape of x, both with the batch axis."""
        return tuple(x_shape)

    @property
    def condition_shape(self) -> tuple | None:
        """Shape of one example's condition, or None if `call` does not require a condition."""
        return None

    def parts(self, x_shape: tuple) -> list[tuple[InvertibleLayer, tuple]]:
        """Returns the layers that make up this layer, each with the shape of its own x.

        `keras_gen.testing.check_flow` checks these layers one at a time. A subclass of a composite
        layer that defines a different `call` returns `[(self, x_shape)]`.
        """
        return [(self, tuple(x_shape))]


@keras.saving.register_keras_serializable("keras_gen")
class Chain(InvertibleLayer, keras.Model):
    """Invertible layers in sequence: y = f_n(...f_2(f_1(x))).

    A chain is an invertible layer, so chains may be nested. It is also a `keras.Model`, so it is
    saved and trained like any network. See Dinh et al. (2017), sec. 3.3.

    Args:
        layers: One or more layers, in order from data to latents.
        **kwargs: Additional arguments for `keras.Model`, such as `name`.

    Example:
        >>> flow = Chain([ActNorm(), Squeeze()])
        >>> flow.build((None, 4, 4, 1))
        >>> y, log_det, _ = flow(tf.random.normal([8, 4, 4, 1]))
        >>> x = flow.inverse(y)
    """

    @checked_arguments
    def __init__(self, layers: Sequence[InvertibleLayer], **kwargs):
        super().__init__(**kwargs)
        # The attribute cannot be named `layers`, which is a property of keras.Model.
        self.steps = list(layers)
        foreign = [step for step in self.steps if not isinstance(step, InvertibleLayer)]
        if foreign or not self.steps:
            found = type(foreign[0]).__name__ if foreign else "no layers"
            raise ValueError(f"A Chain got {found}: expected one or more InvertibleLayers.")

    @override
    def build(self, input_shape):
        self._x_shape = tuple(input_shape)
        shape = self._x_shape
        for step in self.steps:
            if not step.built:
                step.build(shape)
            shape = step.y_shape(shape)

    @property
    def input_shape(self) -> tuple:
        """The shape of x for which the chain was built, `(None, ...)`."""
        return (None, *self._x_shape[1:])

    @property
    def output_shape(self) -> tuple:
        """The shape of y, the latents, `(None, ...)`."""
        return self.y_shape(self.input_shape)

    @override
    def call(self, x, condition=None, training=False):
        log_det, statistics = tf.zeros(tf.shape(x)[:1]), []
        for step in self.steps:
            x, change, found = step(x, condition=condition, training=training)
            log_det += change
            statistics.append(found)
        return x, log_det, tuple(statistics)

    @override
    def inverse(self, y, condition=None):
        for step in reversed(self.steps):
            y = step.inverse(y, condition)
        return y

    @override
    def after_update(self, statistics):
        for step, found in zip(self.steps, statistics, strict=True):
            step.after_update(found)

    @override
    def y_shape(self, x_shape):
        for step in self.steps:
            x_shape = step.y_shape(x_shape)
        return x_shape

    @property
    @override
    def condition_shape(self):
        return next((s.condition_shape for s in self.steps if s.condition_shape), None)

    @override
    def parts(self, x_shape):
        found = []
        for step in self.steps:
            found += step.parts(x_shape)
            x_shape = step.y_shape(x_shape)
        return found

    @override
    def get_config(self) -> dict:
        layers = [keras.saving.serialize_keras_object(step) for step in self.steps]
        return {"name": self.name, "trainable": self.trainable, "layers": layers}

    @classmethod
    @override
    def from_config(cls, config: dict, custom_objects=None):
        config = copy.deepcopy(config)  # Keras modifies the config that it reads.
        deserialize = keras.saving.deserialize_keras_object
        layers = [deserialize(layer, custom_objects) for layer in config.pop("layers")]
        return cls(layers, **config)
