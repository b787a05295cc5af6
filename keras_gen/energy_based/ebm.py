"""Energy-based models, trained with Langevin chains and a replay buffer (Du, Mordatch 2019)."""

import functools
import math
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_shape
from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import GenerativeModel, Player, capability, global_batch, noise, sample
from keras_gen.core.distribution import replica_slice
from keras_gen.core.kinds_of_data import Choice, Edge, Images, Integer, Vectors
from keras_gen.core.minimize import stateless
from keras_gen.core.network_checks import UNBOUNDED, require_range
from keras_gen.declared import (
    Count,
    Fraction,
    NonNegative,
    Positive,
    Steps,
    argument,
    network,
)
from keras_gen.keras_internals import all_layers, draws
from keras_gen.networks.conv import conv_encoder
from keras_gen.networks.mlp import mlp_encoder
from keras_gen.tensor_checks import require

MOST_STEPS = 10_000
MOST_NUMBERS = 2**28  # maximum number of values in a buffer, 1 GiB
MOST_ENERGY = 1e4
"""Absolute energy at which chains count as divergent, reached long before the first NaN."""


@keras.saving.register_keras_serializable("keras_gen")
class EBM(GenerativeModel):
    """An energy E(x) with density exp(-E(x)) / Z, trained by maximum likelihood without Z.

    Du, Mordatch: "Implicit Generation and Modeling with Energy-Based Models", NeurIPS 2019,
    algorithm 1. The gradient of the negative log-likelihood is the mean gradient of the energy at
    data points minus the mean gradient at samples from the model. Langevin chains generate these
    samples. Each chain starts at the end of an earlier chain; a buffer stores these ends. With
    `from_data=1`, chains start at the batch of data, which is contrastive divergence (Hinton:
    "Training Products of Experts by Minimizing Contrastive Divergence", Neural Computation 2002).

    `sample` continues chains from the buffer by default, because these chains have run throughout
    training. With `start="noise"`, it starts new chains. New chains need hundreds of steps and give
    much worse samples at the low temperatures that images need.

    `score` is the energy, which is high for unusual examples. Only differences between energies are
    meaningful, and they are in nats only if the chains have a temperature of 1 and reach
    equilibrium. This is not the case at the default temperature, so there is no `log_prob`. The
    metric `contrast_loss` is near 0 both at the start and at the end of training, so it does not
    measure quality. The result of `evaluate`, which also runs chains, does not measure quality
    either.

    | paper | here |
    |-|-|
    | lambda / 2, omega | `step_size`, noise with variance 2 `step_size` `temperature` |
    | K, B, alpha | `steps`, `buffer`, `magnitude` |

    Deviations: step size and noise are independent, as in the authors' code, so chains have a
    temperature. Images are in [-1, 1], and the buffer stores floats. Networks built by `for_images`
    have no spectral normalization. An energy above 10,000 in absolute value, for an example or at
    the end of a chain, counts as not finite, so `fit` stops when chains diverge.

    Args:
        network: Network that maps examples `[batch, ...]` to energies `[batch, 1]`, without dropout
            or batch normalization, and with smooth activations. See `keras_gen.networks`.
        steps: Number of steps of each chain in training, 1 to 10,000.
        step_size: Factor applied to the energy's gradient in a step.
        temperature: Temperature of the chains. Use 1 for samples from exp(-E(x)) / Z.
        clip: Maximum absolute value of each derivative of the energy in a step.
        reset: Fraction of chains that start from uniform noise instead of the buffer. At a
            temperature of 1, young chains make the energy too steep.
        from_data: Fraction of chains that start at the batch of data. Use 1 for contrastive
            divergence.
        buffer_size: Number of chains that the buffer stores, at least the global batch size.
        magnitude: Weight of the squared energies of examples and chains.
        data_noise: Standard deviation of the normal noise that is added to examples in training.
        limit: Bound for vectors: chains stay in [-`limit`, `limit`], and examples outside are
            replaced by the nearest points inside. Images stay in [-1, 1].
        data: Type of the examples: `"images"` or `"vectors"`.
        seed: Seed for chains, noise, and the initial buffer.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If the network does not return one energy per example, or contains dropout or
            batch normalization, if an argument is out of range, or if the buffer would need more
            than 1 GiB. `fit` rejects batches larger than the buffer.

    Example:
    ```python
    model = EBM.for_images((8, 8, 1), filters=(8,), steps=5, buffer_size=16)
    model.compile()
    model.fit(np.zeros((8, 8, 8, 1), "uint8"), batch_size=4)
    images, fresh = model.sample(9, seed=1), model.sample(9, seed=1, start="noise", steps=100)
    ```
    """

    default_signature = "sample"
    options_of_vectors: ClassVar[dict[str, Any]] = {
        **{"data": "vectors", "standardize": True},
        **{"steps": 20, "step_size": 0.003, "temperature": 1.0, "clip": 50.0},
        **{"reset": 0.001, "buffer_size": 2048, "magnitude": 0.01, "data_noise": 0.0},
    }
    """Default arguments of `for_vectors`."""
    evaluations: ClassVar = {"sample": 3}
    """Number of network evaluations per example and step; a gradient counts as two of them."""
    sample = sample

    network: keras.Model = network("x -> energies")
    steps: Steps = 60
    step_size: Positive = 10.0
    temperature: NonNegative = 1.25e-6
    clip: Positive = 0.03
    reset: Fraction = 0.05
    from_data: Fraction = 0.0
    buffer_size: Count = 10_000
    magnitude: NonNegative = 0.1
    data_noise: NonNegative = 0.005
    limit: Positive = argument(default=5.0, kw_only=True)
    data: Literal["images", "vectors"] = argument(default="images", kw_only=True)

    # Algorithm 1 -----------------------------------------------------------------------------

    @override
    def train_step(self, data):
        """Runs chains; lowers the energies of the data and raises those at the chains' ends."""
        x = self.prepare_batch(data)["x"]
        places, start = self.starts(x)
        shape = [tf.shape(x)[0], *x.shape[1:]]
        draws = noise.several(noise.normal, shape, self.steps, self.stateless_seed("chain"))
        with stateless():  # Layers do not count the passes of a chain.
            ends = self.chain(start, self.steps, lambda k: tf.gather(draws, k))
        x = self.inside(x + self.data_noise * self.normal("data", shape))

        def loss():
            of_data, of_chains = self.energy(x), self.energy(ends)
            sizes = tf.maximum(tf.abs(of_data), tf.abs(of_chains))
            contrast = tf.where(sizes < MOST_ENERGY, of_data - of_chains, math.inf)  # eq. (2)
            terms = {"contrast": contrast, "magnitude": of_data**2 + of_chains**2}
            return self.weighted(terms), terms

        loss, terms = self.minimize(loss)
        if self.training:
            with tf.control_dependencies([loss]):
                self.keep(places, ends)
        return self.report(terms, loss=loss)

    @override
    def loss_weights(self):
        return {"contrast": 1.0, "magnitude": self.magnitude}

    def energy(self, x) -> tf.Tensor:
        """Returns E(x), float32 `[batch]`, for examples within the bounds."""
        return tf.cast(self.network(x, training=self.training), tf.float32)[:, 0]

    def chain(self, x, steps, draw: Callable) -> tf.Tensor:
        """Moves points through steps of Langevin dynamics, eq. (1).

        Args:
            x: Points, float32 `[batch, ...]`.
            steps: Number of steps, as an integer or an int32 scalar.
            draw: Function that maps the index of a step to standard normal noise `[batch, ...]`.
        """
        deviation = math.sqrt(2 * self.step_size * self.temperature)

        def step(k, x):
            with self.inference(), tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(x)
                energies = self.energy(x)
            slope = tf.clip_by_value(tape.gradient(energies, x), -self.clip, self.clip)
            moved = self.inside(x - self.step_size * slope + deviation * draw(k))
            return k + 1, tf.ensure_shape(moved, x.shape)

        return tf.while_loop(lambda k, _: k < steps, step, (tf.constant(0), x))[1]

    def inside(self, x) -> tf.Tensor:
        """Returns the points within the bounds that are closest to the given points."""
        return tf.clip_by_value(x, *self.bounds)

    # The buffer ------------------------------------------------------------------------------

    def starts(self, x) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns buffer positions for the global batch, and this replica's initial points."""
        count = keras.ops.shape(x)[0]
        first, total = replica_slice(count)
        sentence = "A global batch of {} is larger than the buffer of {}: increase buffer_size."
        with tf.control_dependencies(
            [require(total <= self.buffer_size, sentence, total, self.buffer_size)]
        ):
            keys = tf.random.stateless_uniform([self.buffer_size], self.stateless_seed("places"))
        places = tf.argsort(keys)[:total]
        start = tf.gather(self.buffer.value, places[first : first + count])
        low, high = self.bounds
        fresh = low + (high - low) * self.uniform("fresh", [count, *x.shape[1:]])
        each = [count, *[1] * (len(x.shape) - 1)]
        start = tf.where(self.uniform("resets", each) < self.reset, fresh, start)
        return places, tf.where(self.uniform("from data", each) < self.from_data, x, start)

    def keep(self, places, ends) -> None:
        """Stores the ends of this batch's chains at the given buffer positions."""
        ends = global_batch(ends)
        self.buffer.assign(tf.tensor_scatter_nd_update(self.buffer.value, places[:, None], ends))

    # Samples and scores ----------------------------------------------------------------------

    def noise(self, n, key):
        """Returns positions in the buffer, uniform noise, and seeds for the noise of the steps."""
        shape = self.edges["x"].shape
        order = tf.argsort(tf.random.stateless_uniform([self.buffer_size], key))
        return {
            "places": tf.gather(order, tf.range(n) % self.buffer_size),
            "fresh": tf.random.stateless_uniform(
                [n, *shape], noise.folded(key, 1), *self.bounds
            ),
            "seeds": noise.random_seeds(n, noise.folded(key, 2)),
        }

    def from_noise(self, noises, steps=60, start="buffer"):
        """Returns the ends of chains that start from distinct buffer entries or from noise."""
        starts = [
            lambda: tf.gather(self.buffer.value, noises["places"]),
            lambda: noises["fresh"],
        ]
        x = tf.switch_case(start, starts)
        draw = functools.partial(noise.seeded, tf.random.stateless_normal, noises["seeds"])
        shape = self.edges["x"].shape
        return self.chain(x, steps, lambda k: draw(shape, k))

    @capability
    def score(self, x):
        """Returns the energy of each example, float32 `[n]`; unusual examples have high energy."""
        return {"scores": self.energy(self.inside(x))}

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        shape = tuple(self.network.inputs[0].shape[1:])
        found = tuple(self.network.outputs[0].shape)
        if found != (None, 1):
            raise ValueError(
                f"The network '{self.network.name}' returns values of shape {found}: expected "
                "energies of shape (None, 1). End the network with a layer of one unit."
            )
        require_range(UNBOUNDED, "energies", self.network)
        for layer in all_layers(self.network):
            if draws(layer) or isinstance(layer, keras.layers.BatchNormalization):
                raise ValueError(
                    f"The network '{self.network.name}' has the layer '{layer.name}': expected "
                    "an energy that depends on only one example. Build the network without "
                    "dropout or batch normalization."
                )
        numbers = self.buffer_size * math.prod(size or 1 for size in shape)
        if None in shape or numbers > MOST_NUMBERS:
            raise ValueError(
                f"buffer_size is {self.buffer_size} for examples of shape {shape}: expected a "
                f"known shape and a buffer of at most {MOST_NUMBERS} numbers. Use a network with a "
                "known input shape, or a smaller buffer_size."
            )
        images = self.data == "images"
        edge: Edge = Images(shape) if images else Vectors(shape, "vectors")
        self.bounds = (-1.0, 1.0) if images else (-self.limit, self.limit)
        self.edges["x"] = self.in_any_units(edge)
        self.edges["steps"] = Integer(0, MOST_STEPS, "steps")
        self.edges["start"] = Choice(("buffer", "noise"), "start")
        self.buffer = self.add_weight(
            name="buffer",
            shape=(self.buffer_size, *shape),
            initializer=keras.initializers.RandomUniform(*self.bounds, seed=self.seed),
            trainable=False,
            aggregation="only_first_replica",
        )

    @override
    def players(self):
        rate = 1e-4 if self.data == "images" else 2e-3
        adam = functools.partial(keras.optimizers.Adam, rate, beta_1=0.0)
        return {"optimizer": Player([self.network], adam)}

    @classmethod
    @checked_arguments(square=True)
    def for_images(cls, shape: tuple, filters: tuple[int, ...] = (32, 64, 64), **kwargs):
        """Builds the model with strided convolutions; see `keras_gen.networks.conv_encoder`.

        Args:
            shape: `(height, width, channels)` of the images, with sides of at least
                2^len(filters).
            filters: Number of channels in each convolution.
            **kwargs: Additional arguments for the class.

        Raises:
            ValueError: If a side is too short.

        Example: `model = EBM.for_images((28, 28, 1))`.
        """
        network = conv_encoder(shape, 1, filters, "silu", heads=("energies",), name="energy")
        return cls(network, **kwargs)

    @classmethod
    def for_vectors(cls, shape: int | tuple, hidden: tuple[int, ...] = (128, 128), **kwargs):
        """Builds the model for rows of numbers in any units, with dense layers.

        The first `fit` computes the mean and standard deviation of each column, which are used to
        standardize the network's inputs. Chains have a temperature of 1 and small steps, so the
        energy approximates the negative log density up to a constant. At the default learning rate
        for vectors, 0.002, training takes 1,000 to 2,000 steps. Few chains move between distant
        modes, so the model learns the modes' relative frequencies slowly.

        Args:
            shape: Number of columns, or the shape of an example.
            hidden: Number of units in each hidden layer.
            **kwargs: Additional arguments for the class.

        Example: `model = EBM.for_vectors(2)`.
        """
        shape = checked_shape("shape", shape)
        network = mlp_encoder(shape, 1, hidden, "silu", heads=("energies",), name="energy")
        return cls(network, **cls.options_of_vectors | kwargs)
