"""Normalizing flows (Dinh, Sohl-Dickstein, Bengio 2017)."""

import math

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.bases import Inferred, LikelihoodModel, log_prob
from keras_gen.bases.edges import Levels, Number, Vectors
from keras_gen.losses.base import per_example_sum
from keras_gen.training import capability, noise, require_built, sample

# The largest example whose log-determinant is checked.
MOST_VALUES = 64
STEP = 1e-2  # of the differences


@keras.saving.register_keras_serializable("keras_gen")
class Flow(LikelihoodModel):
    """An invertible map of data to Normal latents, trained on the exact log-likelihood.

    Dinh, Sohl-Dickstein, Bengio: "Density Estimation Using Real NVP", ICLR 2017, eqs. (2) and (3),
    with `keras_gen.networks.coupling_flow` of affine couplings. Discrete images get uniform noise
    of one level's width (Theis et al. 2016, sec. 3.1), so that `nats` bounds their negative
    log-probability; vectors stay as they are.

    Deviations: noisy levels are scaled to [-0.5, 0.5], where the paper models their logits; the
    density is still that of the levels.

    Args:
        flow: A built invertible network, such as of `coupling_flow`.
        levels: Number of levels of discrete images; None for vectors.
        seed: Seed of the noise that is added to levels.

    Raises:
        ValueError: If the flow's inverse does not lead back to random examples, or, of examples of
            at most 64 values, its log-determinant is not that of its outputs' differences.

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
    sample = sample
    log_prob = log_prob

    def __init__(self, flow, levels: int | None = None, seed=0, **kwargs):
        super().__init__(seed=seed, **kwargs)
        require_built(flow)
        _require_invertible(flow)
        self.flow = flow
        self.levels = levels
        shape = tuple(flow.input_shape[1:])
        self.edges["x"] = Levels(shape, levels) if levels else Vectors(shape, "vectors")
        self.edges["latents"] = Vectors(tuple(flow.output_shape[1:]))
        self.edges["temperature"] = Number(0.0, 10.0, "temperature")

    @override
    def loss_weights(self):
        return {"nll": 1.0}

    @override
    def infer(self, x, training):
        return self._inferred(x, self.uniform("levels", keras.ops.shape(x), training), training)

    @override
    def loss_terms(self, x, inferred, training):
        log_normal = -0.5 * (tf.square(inferred.latents) + np.log(2 * np.pi))
        return {"nll": -per_example_sum(log_normal) - inferred.parameters[0]}

    @override
    def nats(self, x):
        inferred = self._inferred(x, noise.uniform(keras.ops.shape(x), self.score_seed()))
        return self.loss_terms(x, inferred, training=False)["nll"]

    @override
    def after_update(self, x, inferred):
        """Keeps the statistics of the first batch, by which activations are normalized."""
        self.flow.after_update(inferred.parameters[1])

    def _inferred(self, x, offset, training=False):
        """The latents of vectors, or of levels with an offset in [0, 1)."""
        change = np.prod(x.shape[1:]) * np.log(self.levels or 1)
        if self.levels:
            x = (tf.cast(x, tf.float32) + offset) / self.levels - 0.5
        latents, log_det, statistics = self.flow(x, training=training)
        return Inferred(latents, (log_det - change, statistics))

    @capability
    def encode(self, x):
        """Returns the latents of examples, float32 `[n, ...]`; of levels, of their middle."""
        return {"latents": self._inferred(x, 0.5).latents}

    @capability
    def decode(self, latents):
        """Returns the examples of latents `[n, ...]`."""
        return {"x": self.from_noise(latents)}

    def noise(self, n, key):
        """Draws latents."""
        return tf.random.stateless_normal([n, *self.edges["latents"].shape], key)

    def from_noise(self, noise, temperature=1.0):
        """Returns the examples of latents, whose deviation is the temperature."""
        values = self.flow.inverse(temperature * noise)
        return tf.floor((values + 0.5) * self.levels) if self.levels else values


def _require_invertible(flow):
    """Raises a ValueError if a flow's inverse or log-determinant is wrong for a random example."""
    shape = tuple(flow.input_shape[1:])
    if None in shape:
        return
    count = math.prod(shape)
    with tf.init_scope():
        x = np.random.default_rng(0).uniform(-0.5, 0.5, (1, *shape)).astype("float32")
        y, log_det, _ = flow(tf.constant(x), training=False)
        error = np.abs(flow.inverse(y).numpy() - x).max()
        if not error < 1e-2:
            raise ValueError(
                f"The inverse of the flow '{flow.name}' misses random numbers in [-0.5, 0.5] by up "
                f"to {error:g}: expected inverse(call(x)) to be x; mend the layer's inverse."
            )
        if count > MOST_VALUES:
            return
        steps = STEP * np.eye(count, dtype="float32").reshape(count, *shape)
        ends = flow(tf.constant(x + steps), training=False)[0].numpy()
        starts = flow(tf.constant(x - steps), training=False)[0].numpy()
    slopes = (ends - starts).reshape(count, count) / (2 * STEP)
    expected = np.linalg.slogdet(slopes)[1]
    if not abs(expected - float(log_det[0])) < 0.05 * (1 + count):
        raise ValueError(
            f"The flow '{flow.name}' gives the log-determinant {float(log_det[0]):.3g} for random "
            f"numbers in [-0.5, 0.5], and the differences of its outputs {expected:.3g}: mend the "
            "log-determinant of its layers' call."
        )
