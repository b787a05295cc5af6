"""Models with an encoder and a decoder: autoencoders and VAEs."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_shape
from keras_gen.checked_arguments import checked_arguments
from keras_gen.core.capabilities import capability
from keras_gen.core.kinds_of_data import Edge, Vectors
from keras_gen.core.likelihood_model import LikelihoodModel, edge_of, require_parameters
from keras_gen.core.network_checks import (
    UNBOUNDED,
    require_built,
    require_latents,
    require_range,
)
from keras_gen.declared import Named, fields_of, made_by, network, required_networks
from keras_gen.latents import interpolate
from keras_gen.losses import likelihoods
from keras_gen.networks import (
    conv_decoder,
    conv_encoder,
    mlp_decoder,
    mlp_encoder,
    with_column_scales,
)


class Coder(LikelihoodModel):
    """Base class for models that can encode, decode, reconstruct, and interpolate.

    The decoder's outputs are the parameters of a likelihood, p(x | codes). `code_names` contains
    the names of the encoder's outputs; the decoder uses the first output.
    """

    code_names: ClassVar[tuple[str, ...]] = ("codes",)
    default_signature = "reconstruct"
    predicts = "reconstruct"

    @override
    def call(self, x, training=False):
        """Returns the mean of p(x | codes) for examples prepared by the edge."""
        given = self.side_inputs(x)
        return self.reconstructed(self.encoded(x, *given)[0], *given)

    def side_inputs(self, x) -> tuple:
        """Returns additional inputs of the encoder and decoder for examples x; by default, none."""
        return ()

    def encoded(self, x, *given) -> list[tf.Tensor]:
        """Returns the encoder's float32 outputs for examples, one for each of `code_names`."""
        outputs = self.encoder([x, *given] if given else x, training=self.training)
        return [tf.cast(output, tf.float32) for output in tf.nest.flatten(outputs)]

    def reconstructed(self, latents, *given) -> tf.Tensor:
        """Returns the mean of p(x | codes), or of p(x | codes, given)."""
        return self.likelihood.mean(self.decoded(latents, *given))

    def decoded(self, latents, *given) -> tf.Tensor:
        """Returns the parameters of p(x | codes), or of p(x | codes, given)."""
        return self.decoder([latents, *given] if given else latents, training=self.training)

    def reconstruction(self, latents, x, *given) -> tf.Tensor:
        """Returns -log p(x | latents, given) in the data's units; see `reconstruction_nats`."""
        nats = reconstruction_nats(
            self.decoder, self.likelihood, latents, x, self.training, *given
        )
        return self.edges["x"].nats_outside(nats)

    # Use -------------------------------------------------------------------------------------

    @capability
    def reconstruct(self, x):
        """Returns the reconstructions, in the same format as the examples."""
        return {"x": self(x)}

    @capability
    def encode(self, x):
        """Returns the codes, float32 `[n, ...]`, or a tuple if there are several `code_names`."""
        return dict(zip(self.code_names, self.encoded(x, *self.side_inputs(x)), strict=True))

    @capability
    def decode(self, latents):
        """Returns the mean of p(x | codes) as uint8 images, given float codes `[n, ...]`."""
        return {"x": self.reconstructed(latents)}

    interpolate = interpolate

    # Building --------------------------------------------------------------------------------

    def __init__(self, latent_dim: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.latent_dim = latent_dim  # if given, it must match the networks

    def freeze(self) -> None:
        """Freezes the coder's weights, so that another model can be trained on its codes."""
        self.trainable = False
        # The optimizer is deleted, because the other model's saved files would otherwise
        # contain its unused state.
        self.optimizer = None
        self.compiled = False


class EncoderDecoder(Coder):
    """Base class for coders with one encoder and one decoder, which class methods can build.

    Args:
        encoder: Network that maps examples to codes `[batch, ...]`.
        decoder: Network that maps codes to the likelihood's parameters.
        likelihood: Likelihood p(x | codes), a name or an object.
        seed: Seed for the noise.
    """

    # End of the builders' error message if the class has no standard networks.
    no_builders = ""

    encoder: keras.Model = network("x -> codes")
    decoder: keras.Model = network("codes -> parameters")
    likelihood: Named[likelihoods.Likelihood] = made_by(likelihoods.get, default="bernoulli")

    @override
    def set_up(self):
        """Adds the edges for the data and the codes."""
        self.latent_dim = require_latents(self.latent_dim, self.decoder)
        examples = edge_of(self.likelihood, self.encoder.inputs[0].shape[1:])
        edges = decoder_edges(self.decoder, self.likelihood)
        self.edges |= edges | {"x": self.in_any_units(examples)}
        if self.standardize:
            require_range(UNBOUNDED, "standardized vectors", self.decoder)
        if "log_variance" in self.code_names:
            require_moments(self.encoder, self.encoder.outputs[: len(self.code_names)])

    @classmethod
    @checked_arguments(square=True)
    def for_images(
        cls, shape: tuple, latent_dim: int = 16, filters: tuple[int, ...] = (32, 64), **kwargs
    ):
        """Builds the model with a convolutional encoder and decoder.

        Args:
            shape: `(height, width, channels)` of the images, with sides of at least 2^len(filters).
            latent_dim: Number of dimensions of a code.
            filters: Number of channels in each convolution; each convolution halves the sides.
            **kwargs: Additional arguments for the class.

        Raises:
            TypeError: If the class has networks other than an encoder and a decoder.

        Example: `VAE.for_images((28, 28, 1), latent_dim=20)`.
        """
        cls._require_usual_networks(kwargs)
        usual = fields_of(cls)["likelihood"].default
        likelihood = likelihoods.get(kwargs.get("likelihood", usual))
        encoder = conv_encoder(
            shape,
            latent_dim,
            filters,
            heads=cls.code_names,
            output_activation=cls.activation_of_codes(kwargs),
            levels=likelihood.levels,
        )
        decoder = decoder_to(likelihood, conv_decoder, shape, latent_dim, filters)
        return cls(encoder, decoder, **kwargs)  # type: ignore[call-arg]

    @classmethod
    def for_vectors(
        cls,
        shape: int | tuple,
        latent_dim: int = 2,
        hidden: tuple[int, ...] = (64, 64),
        **kwargs,
    ):
        """Builds the model for rows of numbers in any units, with dense networks.

        The first call of `fit` computes the mean and standard deviation of each column. These
        moments are used to standardize the networks' inputs and outputs. Reconstructions, samples,
        and scores are in the units of the data.

        Args:
            shape: Number of columns, or the shape `(steps, channels)` of a series.
            latent_dim: Number of dimensions of a code.
            hidden: Number of units in each hidden layer of the encoder; the decoder mirrors the
                encoder.
            **kwargs: Additional arguments for the class. The default likelihood is `ColumnNormal`,
                which has one learned standard deviation per column.

        Raises:
            TypeError: If the class has networks other than an encoder and a decoder.

        Example: `VAE.for_vectors(8, latent_dim=3).fit(table, epochs=20)`.
        """
        cls._require_usual_networks(kwargs)
        shape = checked_shape("shape", shape)
        kwargs = cls.options_of_vectors | kwargs
        likelihood = likelihoods.get(kwargs["likelihood"])
        encoder = mlp_encoder(
            shape,
            latent_dim,
            hidden,
            heads=cls.code_names,
            output_activation=cls.activation_of_codes(kwargs),
        )
        decoder = decoder_to(likelihood, mlp_decoder, shape, latent_dim, hidden[::-1])
        return cls(encoder, decoder, **kwargs)  # type: ignore[call-arg]

    # Default arguments of the class in `for_vectors`.
    options_of_vectors: ClassVar[dict[str, Any]] = {
        "likelihood": likelihoods.ColumnNormal(),
        "standardize": True,
    }

    @classmethod
    def activation_of_codes(cls, options: dict) -> str | None:
        """Returns the output activation of the standard encoder for the given options."""
        return None

    @classmethod
    def _require_usual_networks(cls, given):
        """Raises a TypeError if a required network is neither a standard network nor given."""
        networks = required_networks(cls)
        seen, codes = (names.split() for names in networks.pop("encoder").split("->"))
        taken = networks.pop("decoder").split("->")[0].split()
        usual = len(seen) == len(taken) == 1 and len(codes) == len(cls.code_names)
        if cls.no_builders or not usual or networks.keys() - given.keys():
            why = cls.no_builders or "has no standard networks: pass your own networks."
            raise TypeError(f"{cls.__name__} {why}")


def outputs_per_value(likelihood: likelihoods.Likelihood) -> int:
    """Returns a standard decoder's number of outputs per value before `with_scales` is applied."""
    shared = isinstance(likelihood, likelihoods.ColumnNormal)
    return 1 if shared else likelihood.params_per_value


def with_scales(decoder: keras.Model, likelihood: likelihoods.Likelihood) -> keras.Model:
    """Adds a likelihood's column scales, if any, to a decoder with `outputs_per_value` outputs."""
    if not isinstance(likelihood, likelihoods.ColumnNormal):
        return decoder
    return with_column_scales(decoder, likelihood.minimum_scale)


def decoder_to(
    likelihood: likelihoods.Likelihood, build: Callable, shape: Sequence[int], *sizes
) -> keras.Model:
    """Builds a decoder that returns all parameters of a likelihood.

    Args:
        likelihood: Likelihood whose parameters the decoder returns.
        build: Function in `keras_gen.networks` that builds a decoder.
        shape: Shape of an example.
        *sizes: Additional arguments for `build`.
    """
    *sides, channels = shape
    decoder = build((*sides, channels * outputs_per_value(likelihood)), *sizes)
    return with_scales(decoder, likelihood)


def decoder_edges(decoder, likelihood) -> dict[str, Edge]:
    """Returns the edges `x` and `latents` for a decoder that returns a likelihood's parameters.

    Raises:
        ValueError: If the decoder's number of outputs per value does not match the likelihood.
    """
    require_built(decoder)
    require_parameters(decoder, likelihood)
    *front, channels = decoder.output_shape[1:]
    needed = likelihood.params_per_value
    if channels % needed:
        raise ValueError(
            f"The decoder's output has shape {(*front, channels)}: expected a last axis whose "
            f"size is a multiple of {needed}, the number of parameters that {likelihood} "
            "requires per value."
        )
    return {
        "x": edge_of(likelihood, (*front, channels // needed)),
        "latents": Vectors(tuple(decoder.inputs[0].shape[1:])),
    }


def reconstruction_nats(decoder, likelihood, latents, x, training: bool, *given) -> tf.Tensor:
    """Returns -log p(x | latents, given), `[..., batch]`, for latents `[..., batch, ...]`.

    Each example may have several latents. `given` contains additional inputs of the decoder,
    `[batch, ...]`, such as classes.
    """
    shape = decoder.inputs[0].shape[1:]
    front = keras.ops.shape(latents)[: -len(shape)]  # if each example has several latents
    inputs = [tf.reshape(latents, [-1, *shape])]
    for value, taken in zip(given, decoder.inputs[1:], strict=True):
        each = tf.broadcast_to(value, [*front, *taken.shape[1:]])
        inputs.append(tf.reshape(each, [-1, *taken.shape[1:]]))
    parameters = decoder(inputs if given else inputs[0], training=training)
    parameters = tf.reshape(parameters, [*front, *parameters.shape[1:]])
    return -likelihood.log_prob(parameters, x)


def require_moments(network, outputs) -> None:
    """Raises a ValueError if a network restricts the range of its means or log variances."""
    moments = keras.Model(network.inputs, outputs, name=network.name)
    require_range(UNBOUNDED, "means and log variances", moments)
