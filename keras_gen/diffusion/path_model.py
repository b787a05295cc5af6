"""The base class of models that transform noise into data along a path."""

import functools
from typing import Annotated, ClassVar, Literal

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_number, checked_shape
from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import LikelihoodModel, capability, log_prob, sample
from keras_gen.core.distribution import replica_slice
from keras_gen.core.kinds_of_data import Choice, Edge, Images, Integer, Vectors
from keras_gen.core.noise import random_seeds
from keras_gen.declared import Named, argument, fixed, made_by, network
from keras_gen.diffusion import paths
from keras_gen.diffusion.paths import Parts, Path
from keras_gen.diffusion.solvers import DDIM, SOLVERS, chosen, solve
from keras_gen.latents import interpolate
from keras_gen.networks.diffusion.time_networks import (
    series_unet,
    time_mlp,
    time_unet,
)

MOST_STEPS = 1000
CODE_STEPS = 100  # number of steps in `encode` and `decode`

BlackLevel = Annotated[float, functools.partial(checked_number, minimum=-255, maximum=0)]


class PathModel(LikelihoodModel):
    """Base class for models with one network, a path from data to noise, and a choice of solvers.

    The network receives points x_t on the path and their times t, and predicts one of
    `keras_gen.diffusion.paths.QUANTITIES`, from which the other quantities follow. Images are in
    [-1, 1], and predicted images are clipped to this range. `sample` accepts the number of steps
    and the name of the solver. `encode` follows the differential equation from the data to the
    noise, and `decode` follows it from the noise to the data. `encode` and `decode` each take 100
    steps of DDIM, so the round trip is not exact.

    With a `black_level` below 0, black is represented by a darker level during training, and
    generated values between that level and black are clipped. A network with errors of a few levels
    then generates black instead of a faint background. None of the papers uses such a black level.

    A subclass declares `prediction`, and sets `last_time` if its path does not end at 1. The
    subclass also defines the terms of its loss, and the negative log-likelihood of examples in
    nats.

    Args:
        network: Network that maps points `[batch, ...]` and times `[batch]` to values with the same
            shape as the points.
        probability_path: Name of a path, or a path object from `keras_gen.diffusion.paths`.
        data: Type of the examples: `"images"`, or `"vectors"` of unscaled finite numbers.
        seed: Seed for the noise and the times.
        black_level: Level that represents black (level 0) in training, from -255 to 0.
        **kwargs: Arguments of `keras.Model`, such as `name`.

    Raises:
        ValueError: If the network's inputs or outputs do not match, if `data` or the path is
            unknown, if the path does not end at time 1, or if `black_level` is out of range or is
            not 0 for vectors.
    """

    default_signature = "sample"
    published_steps = (2800, 7500)
    density_of_vectors = True
    evaluations: ClassVar = {"encode": CODE_STEPS, "decode": CODE_STEPS, "sample": 2}
    """Number of network evaluations per example, by signature; for `sample`, number per step."""
    last_time: ClassVar[float | None] = 1.0
    """Time at which the path ends, with noise of standard deviation 1, or None for any time."""
    options_of_vectors: ClassVar[dict] = {"data": "vectors", "standardize": True}
    """Default arguments of `for_vectors`."""
    sample = sample
    log_prob = log_prob
    interpolate = interpolate

    network: keras.Model = network("points times -> points")
    probability_path: Named[Path] = made_by(paths.get)
    data: Literal["images", "vectors"] = "images"
    black_level: BlackLevel = argument(default=0.0, kw_only=True)
    prediction: str = fixed("")

    @override
    def loss_weights(self):
        return {"denoising": 1.0}

    # A point of the path ---------------------------------------------------------------------

    def even_times(self, x) -> tf.Tensor:
        """Samples one time from each of as many equal intervals of [0, 1) as there are examples.

        The times are independent, and in a batch (over all replicas), they cover the whole range.
        """
        count = keras.ops.shape(x)[0]
        start, total = replica_slice(count)
        places = tf.cast(start + tf.range(count), tf.float32)
        return (places + self.uniform("times", [count])) / tf.cast(total, tf.float32)

    def network_output(self, x_t, t) -> tf.Tensor:
        """Returns the network's prediction for points `[batch, ...]` at times `[batch]`.

        A model of p(x | given) also accepts its conditions.
        """
        return self.predicted(x_t, t)

    def predicted(self, *inputs) -> tf.Tensor:
        """Returns the network's outputs as float32, even if the network's precision is lower."""
        return tf.cast(self.network(list(inputs), training=self.training), tf.float32)

    def parts(self, x_t, t, **given) -> Parts:
        """Returns the predicted `Parts` of points at time t, a scalar or `[batch]`."""
        parts = self.unclipped_parts(x_t, t, **given)
        if self.data == "images":
            edge = self.edges["x"]
            example = tf.clip_by_value(parts.example, edge.black, edge.high)
            # The part of the point that is not the example is noise.
            parts = self.probability_path.parts("example", t, x_t, example)
        return parts

    def unclipped_parts(self, x_t, t, **given) -> Parts:
        """Returns `parts` without clipping images."""
        output = self.network_output(x_t, tf.broadcast_to(t, tf.shape(x_t)[:1]), **given)
        return self.probability_path.parts(self.prediction, t, x_t, output)

    # Samples and codes -----------------------------------------------------------------------

    def solvers(self) -> dict:
        """Returns the solvers that `sample` offers, by name."""
        return SOLVERS

    def noise(self, n, key):
        """Returns latents for n examples, and seeds for the noise in the examples' steps."""
        shape = self.edges["latents"].shape
        other = tf.random.experimental.stateless_fold_in(key, 2)
        return {
            "latents": tf.random.stateless_normal([n, *shape], key),
            "seeds": random_seeds(n, other),
        }

    def from_noise(self, noise, steps=50, solver="ddim"):
        """Returns the examples at the end of the path."""
        return self.solved(noise, steps, solver)

    def solved(self, noise, steps, solver, **given) -> tf.Tensor:
        """Turns latents into examples with the solver at an int32 index in `solvers`."""
        times = self.probability_path.times(steps)
        step = chosen(self.solvers(), solver)
        return self.followed(noise["latents"], times, step, noise["seeds"], **given)

    def followed(self, latents, times, step, seeds=None, **given) -> tf.Tensor:
        """Follows the path from latents with standard deviation 1 through `times`, down to 0."""

        # This function traces the network once, even for solvers with two evaluations per step.
        @functools.partial(tf.function, autograph=False)
        def predict(x_t, t):
            return self.parts(x_t, t, **given)

        start = self.probability_path.sigma(times[0]) * latents
        return solve(predict, self.probability_path, start, times, step, seeds)

    @override
    def signatures(self):
        """Returns the usual signatures except `score`, which is slow and equals `-log_prob`."""
        return {name: one for name, one in super().signatures().items() if name != "score"}

    @capability
    def encode(self, x):
        """Returns the latents of examples, float32 `[n, ...]`."""
        return {"latents": self.encoded(x)}

    @capability
    def decode(self, latents):
        """Returns the examples for latents `[n, ...]`."""
        return {"x": self.decoded(latents)}

    def decoded(self, latents, **given) -> tf.Tensor:
        """Follows the differential equation from latents with standard deviation 1 to examples."""
        times = self.probability_path.times(CODE_STEPS)
        return self.followed(latents, times, DDIM().step, **given)

    def encoded(self, x, **given) -> tf.Tensor:
        """Follows the differential equation from examples to latents with standard deviation 1."""
        path = self.probability_path
        times = path.times(CODE_STEPS)

        def predict(x_t, t):
            return self.unclipped_parts(x_t, tf.maximum(t, path.first_time), **given)

        end = solve(predict, path, x, times[::-1], DDIM().step)
        return end / path.sigma(times[0])

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        last = self.probability_path.last_time
        if self.last_time not in (None, last):
            raise ValueError(
                f"{type(self.probability_path).__name__} ends at time {last:g}: expected a path "
                "that ends at time 1 with pure noise (standard deviation 1)."
            )
        paths.warn_of_remains(self.probability_path)
        shape = tuple(self.network.inputs[0].shape[1:])
        if self.data == "images":
            edge: Edge = Images(shape, black_level=self.black_level)
        elif self.black_level:
            raise ValueError(
                f"black_level is {self.black_level:g}, but the data are vectors: leave out "
                "black_level."
            )
        else:
            edge = Vectors(shape, name="vectors")
        self.edges["x"] = self.in_any_units(edge)
        self.edges["latents"] = Vectors(shape)
        self.edges["steps"] = Integer(1, MOST_STEPS, "steps")
        self.edges["solver"] = Choice(tuple(SOLVERS), "solver")

    @classmethod
    @checked_arguments(square=True)
    def for_images(cls, shape: tuple, widths: tuple[int, ...] = (32, 64), **kwargs):
        """Builds the model with a small U-Net, `keras_gen.networks.time_unet`.

        Args:
            shape: `(height, width, channels)` of the images; height and width must be multiples of
                2^len(widths).
            widths: Number of channels at each resolution, multiples of 8.
            **kwargs: Additional arguments for the class.

        Raises:
            ValueError: If the height or the width is not a multiple of 2^len(widths).
        """
        return cls(time_unet(shape, widths, classes=kwargs.get("classes")), **kwargs)

    @classmethod
    def for_vectors(cls, shape: int | tuple, width: int = 128, blocks: int = 4, **kwargs):
        """Builds the model for rows of numbers in any units, with `keras_gen.networks.time_mlp`.

        The first `fit` computes the mean and standard deviation of each column, which are used to
        standardize the network's inputs and outputs. Samples and scores are in the units of the
        data.

        For series, in which neighboring steps are similar, use `for_series` instead.

        Args:
            shape: Number of columns, or the shape of an example.
            width: Number of units per layer.
            blocks: Number of layers.
            **kwargs: Additional arguments for the class. If vectors have standard deviations of
                about 1 and should not be scaled, pass `standardize=False`.
        """
        shape = checked_shape("shape", shape)
        network = time_mlp(shape, width, blocks, classes=kwargs.get("classes"))
        return cls(network, **cls.options_of_vectors | kwargs)

    @classmethod
    @checked_arguments(axes="steps, channels")
    def for_series(cls, shape: tuple, widths: tuple[int, ...] = (32, 64), **kwargs):
        """Builds the model for series in any units, with `keras_gen.networks.series_unet`.

        The first `fit` computes the mean and standard deviation of each channel; see `for_vectors`.

        Args:
            shape: `(steps, channels)` of a series.
            widths: Number of channels at each resolution, multiples of 8.
            **kwargs: Additional arguments for the class.

        Example: `DDPM.for_series((100, 3))`.
        """
        network = series_unet(shape, widths, classes=kwargs.get("classes"))
        return cls(network, **cls.options_of_vectors | kwargs)
