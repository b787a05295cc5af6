"""Normalizing flows (Dinh, Sohl-Dickstein, Bengio 2017)."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import (
    checked_list,
    checked_number,
    checked_shape,
    checked_size,
    shown,
)
from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import (
    SCORE_SAMPLES,
    LikelihoodModel,
    capability,
    for_users,
    log_prob,
    noise,
    sample,
)
from keras_gen.core.kinds_of_data import Levels, Number, Rows, Vectors
from keras_gen.data.transforms.cells import require_cells
from keras_gen.data.transforms.tables import Column
from keras_gen.declared import argument, network
from keras_gen.flows.cell_scores import CellScores
from keras_gen.latents import interpolate
from keras_gen.layers.flows.invertible_layer import InvertibleLayer
from keras_gen.losses.divergences import importance_weighted_nats
from keras_gen.losses.per_example import per_example_sum
from keras_gen.networks.flows.coupling_flow import coupling_flow
from keras_gen.networks.flows.glow import glow

LevelCount = Annotated[int, partial(checked_size, minimum=2)]
"""Number of levels of discrete images."""


@keras.saving.register_keras_serializable("keras_gen")
class Flow(LikelihoodModel):
    """An invertible map from data to normal latents, trained on the exact log-likelihood.

    Dinh, Sohl-Dickstein, Bengio: "Density Estimation Using Real NVP", ICLR 2017, eqs. (2) and (3).
    With `keras_gen.networks.real_nvp`, the model is Real NVP; with `keras_gen.networks.glow` or
    `Flow.for_images`, it is Glow (Kingma, Dhariwal 2018); with `coupling_flow`, it is a small flow
    on vectors or images.

    Uniform noise with the width of one level is added to discrete images, which are then scaled to
    [0, 1). The flow can start with a `Logit`, which maps that range to all real numbers. `log_prob`
    is the log density of the levels plus noise, which bounds the log-probability of the levels
    (Theis et al. 2016, sec. 3.1). Vectors are not changed.

    `for_table` builds a flow on table rows, which may contain words, numbers, and gaps. Each word
    and each interval of numbers is a cell, and so is a missing value. Each value is mapped to a
    uniformly sampled point in its cell, and this point is mapped to its normal score
    (`CellScores`). `log_prob` is a bound on the log-probability of the cells, computed with 16
    points per row. In columns without gaps, it is comparable with the `log_prob` of
    `MADE.for_table` and `VAE.for_table`. `encode` uses the midpoints of cells. To fill in gaps, use
    `MADE.for_table`.

    If you write your own layers, test the flow with `keras_gen.testing.check_flow`: a wrong inverse
    or log-determinant does not raise an error, but results in wrong densities.

    Args:
        flow: Built invertible network, such as the result of `glow`.
        levels: Number of levels of discrete images; None for vectors.
        columns: Table columns with cells, as returned by `keras_gen.data.table_columns`, or None.
        seed: Seed for the noise that is added to levels, and for the points sampled in cells.

    Raises:
        TypeError: If the flow is not an `InvertibleLayer`.
        ValueError: If the flow accepts a condition, if `levels` is below 2, or if the flow does not
            match the columns.

    Example:
    ```python
    from keras_gen.networks import coupling_flow
    model = Flow(coupling_flow((2,), steps=4, hidden=(16,)))
    model.compile()
    points = np.random.default_rng(0).normal(size=(8, 2))
    model.fit(points, batch_size=4)
    nats, others = -model.log_prob(points), model.sample(9, seed=1)
    ```
    """

    default_signature = "sample"
    published_steps = (3600, 32_000)
    density_of_vectors = True
    sample = sample
    log_prob = log_prob
    interpolate = interpolate

    flow: keras.Model = network()
    levels: LevelCount | None = None
    columns: Sequence[Column] | None = argument(
        default=None,
        check=lambda _, value: None if value is None else require_cells(value),
        kw_only=True,
    )

    # The exact log-likelihood ----------------------------------------------------------------

    @override
    def train_step(self, data):
        """Updates the flow (eq. 3); the first step also initializes activation normalization."""
        batch = self.prepare_batch(data)

        def nll():
            x = batch["x"]
            offset = self.uniform("levels", keras.ops.shape(x))
            conditions = [batch[name] for name in self.given]
            latents, log_det, statistics = self.forward(x, offset, *conditions)
            terms = {"nll": self.negative_log_prob(latents, log_det)}
            return self.weighted(terms), terms, statistics

        loss, terms, statistics = self.minimize(nll)
        if self.training:
            with tf.control_dependencies([loss]):
                self.after_update(batch, statistics)
        return self.report(terms, loss=loss)

    @override
    def loss_weights(self):
        return {"nll": 1.0}

    def after_update(self, batch, statistics):
        """Updates the parts of the flow's state that are not trained with gradients."""
        self.flow.after_update(statistics)

    def forward(self, x, offset, condition=None) -> tuple:
        """Returns latents, log |det dz/dx| for x in units of one level, and the layers' statistics.

        `offset` is the position of each value within its level or cell, in [0, 1).
        """
        change = -np.prod(x.shape[1:]) * np.log(self.levels or 1)
        if self.levels:
            x = (tf.cast(x, tf.float32) + offset) / self.levels
        if self.columns:
            x, change = CellScores(self.columns).scores(x, offset)
        latents, log_det, statistics = self.flow(x, condition=condition, training=self.training)
        return latents, log_det + change, statistics

    @override
    def nats(self, x, **given):
        if not self.columns:
            offset = noise.uniform(keras.ops.shape(x), self.score_seeds(x))
            latents, log_det, _ = self.forward(x, offset, *given.values())
            return self.negative_log_prob(latents, log_det)
        # Seeds are computed from cell numbers, so that neither the result nor the noise depends on
        # the positions of values in their cells.
        seeds = self.score_seeds(tf.floor(x))
        offsets = noise.uniform([tf.shape(x)[0], SCORE_SAMPLES, len(self.columns)], seeds)
        offset = tf.reshape(offsets, [-1, len(self.columns)])
        x, *given_values = (tf.repeat(v, SCORE_SAMPLES, axis=0) for v in (x, *given.values()))
        latents, log_det, _ = self.forward(x, offset, *given_values)
        nats = tf.reshape(self.negative_log_prob(latents, log_det), [-1, SCORE_SAMPLES])
        return importance_weighted_nats(-tf.transpose(nats))

    def negative_log_prob(self, latents, log_det) -> tf.Tensor:
        """Returns -log p(x) of examples, `[batch]`, in the units of the data."""
        return self.edges["x"].nats_outside(change_of_variables(latents, log_det))

    @capability
    def encode(self, x, **given):
        """Returns float32 latents of examples; midpoints represent levels and cells."""
        return {"latents": self.forward(x, 0.5, *given.values())[0]}

    @capability
    def decode(self, latents, **given):
        """Returns the examples for latents `[n, ...]`."""
        return {"x": self.decoded(latents, *given.values())}

    def decoded(self, latents, condition=None) -> tf.Tensor:
        """Returns the examples for latents; levels are integers."""
        values = self.flow.inverse(latents, condition)
        if self.columns:
            return CellScores(self.columns).cells(values)
        return tf.floor(values * self.levels) if self.levels else values

    @for_users
    def manipulate(self, x, having, lacking, amounts=(-1.0, 0.0, 1.0)) -> np.ndarray:
        """Strengthens or weakens an attribute of examples by moving latents along a direction.

        Kingma, Dhariwal: "Glow: Generative Flow with Invertible 1x1 Convolutions", NeurIPS 2018,
        sec. 5: the direction is the mean latent of examples with the attribute minus the mean
        latent of examples without it.

        Args:
            x: Examples `[n, ...]` in the model's input format.
            having: Examples with the attribute, at least one.
            lacking: Examples without the attribute, at least one.
            amounts: Multiples of the direction; 0 decodes the example itself.

        Returns:
            Outputs of `decode`, `[n, amounts, ...]`; the rows of a table are strings.

        Example: `model.manipulate(faces, smiling, serious, amounts=(0, 1))`.
        """
        amounts = [checked_number("amounts", each) for each in checked_list("amounts", amounts)]
        direction = self.encode(having).mean(axis=0) - self.encode(lacking).mean(axis=0)
        latents = self.encode(x)
        moved = [
            self.edges["x"].as_array(self.decode(latents + amount * direction))
            for amount in amounts
        ]
        return np.stack(moved, axis=1)

    def noise(self, n, key):
        """Returns random latents."""
        return tf.random.stateless_normal([n, *self.edges["latents"].shape], key)

    def from_noise(self, noise, temperature=1.0):
        """Returns the examples for latents whose standard deviation is the temperature."""
        return self.decoded(temperature * noise)

    def __getattr__(self, name):
        if name in ("impute", "complete"):
            raise AttributeError(
                f"{type(self).__name__} has no {name} method, because a flow cannot "
                "compute the distribution of some columns given others: use MADE.for_table."
            )
        return self.__getattribute__(name)  # raises the usual AttributeError

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        flow = self.flow
        if not isinstance(flow, InvertibleLayer):
            raise TypeError(
                f"flow is the network '{flow.name}': expected an InvertibleLayer, such as the "
                "one returned by keras_gen.networks.glow or coupling_flow."
            )
        self._require_condition(flow.condition_shape)
        shape = tuple(flow.input_shape[1:])
        self.edges["x"] = self._edge_of_examples(shape)
        self.edges["latents"] = Vectors(tuple(flow.output_shape[1:]))
        self.edges["temperature"] = Number(0.0, 10.0, "temperature")

    def _edge_of_examples(self, shape):
        if not self.columns:
            examples = Levels(shape, self.levels) if self.levels else Vectors(shape, "vectors")
            return self.in_any_units(examples)
        if self.levels:
            raise ValueError(
                f"levels is {self.levels}, but the examples are rows of a table: expected None. "
                "Leave out levels."
            )
        if shape != (len(self.columns),):
            raise ValueError(
                f"flow accepts examples of shape {shape}: expected ({len(self.columns)},), one "
                f"number per column. Build it with {type(self).__name__}.for_table."
            )
        rows = Rows(self.columns)
        self.resources = [rows.cells]  # lookup tables, which the signatures also read
        return rows

    def _require_condition(self, shape):
        """Raises a ValueError if the flow accepts a condition."""
        if shape is not None:
            raise ValueError(
                f"flow accepts conditions of shape {shape}: expected no conditions. To use them, "
                "build a ConditionalFlow."
            )

    @classmethod
    @checked_arguments(square=True)
    def for_images(
        cls,
        shape: tuple,
        scales: int = 2,
        steps: int = 8,
        filters: int = 64,
        alpha: float = 0.05,
        levels: int = 256,
        **kwargs,
    ):
        """Builds a Glow for images; see `keras_gen.networks.glow`.

        Args:
            shape: `(height, width, channels)` of the images; the sides must be multiples of
                2^scales.
            scales: Number of scales (L in the paper), at least 1.
            steps: Number of flow steps at each scale (K in the paper).
            filters: Number of channels in the hidden layers of the couplings' networks.
            alpha: Minimum distance from 0 and 1 of the scaled levels to which the logit is applied.
            levels: Number of levels.
            **kwargs: Additional arguments for the class.

        Raises:
            ValueError: If the sides cannot be halved `scales` times.

        Example: `model = Flow.for_images((28, 28, 1), alpha=5e-4)`.
        """
        flow = glow(shape, scales, steps, filters, alpha)
        return cls(flow, levels=levels, **kwargs)

    @classmethod
    def for_vectors(
        cls, shape: int | tuple, steps: int = 8, hidden: tuple[int, ...] = (64, 64), **kwargs
    ):
        """Builds a flow with affine couplings for rows of numbers in any units.

        The first `fit` computes the mean and standard deviation of each column, which are used to
        standardize the flow's inputs. Samples and log-probabilities are in the units of the data.

        Args:
            shape: Number of columns, at least 2.
            steps: Number of couplings; see `keras_gen.networks.coupling_flow`.
            hidden: Number of units in each hidden layer of the couplings' networks.
            **kwargs: Additional arguments for the class.

        Raises:
            ValueError: If there are fewer than 2 columns, or no steps.

        Example: `model = Flow.for_vectors(2)`.
        """
        kwargs.setdefault("standardize", True)
        return cls(coupling_flow(checked_shape("shape", shape), steps, hidden), **kwargs)

    @classmethod
    def for_table(cls, columns: Sequence[Column], **options):
        """Builds a flow with affine couplings for table rows that contain categories and numbers.

        Args:
            columns: Columns with cells, as returned by `keras_gen.data.table_columns`; at least 2.
            **options: Arguments of `for_vectors` other than `shape`.

        Raises:
            TypeError: If `columns` contains anything other than columns, or if `shape` is passed.
            ValueError: If there are fewer than 2 columns, or if a column has no cells.

        Example: `model = Flow.for_table(table_columns(people))`.
        """
        columns = require_cells(columns)
        if "shape" in options:
            raise TypeError(
                f"{cls.__name__}.for_table got shape={shown(options['shape'])}: leave it out, "
                "because the number of columns determines the shape."
            )
        # Unlike conditions, the scores of cells need no standardization.
        options.setdefault("standardize", options.get("conditions") is not None)
        return cls.for_vectors(len(columns), columns=columns, **options)


def change_of_variables(latents, log_det) -> tf.Tensor:
    """Returns -log p(x) = -log N(z; 0, 1) - log |det dz/dx|, `[batch]` (eqs. 2 and 3)."""
    log_normal = -0.5 * (tf.square(latents) + np.log(2 * np.pi))
    return -per_example_sum(log_normal) - log_det
