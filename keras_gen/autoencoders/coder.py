"""An encoder of examples to codes and a decoder: autoencoders and VAEs."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_shape
from keras_gen.checked_arguments import checked_arguments
from keras_gen.core.capabilities import capability
from keras_gen.core.checks.networks import UNBOUNDED, require_built, require_range
from keras_gen.core.kinds_of_data import Edge, Vectors
from keras_gen.core.likelihood_model import LikelihoodModel, edge_of, require_parameters
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
    """Base of models with an encoder and a decoder: encode, decode, reconstruct, interpolate.

    The decoder's outputs are the parameters of a likelihood, p(x | codes). `code_names` are the
    outputs of the encoder; the decoder takes the first.
    """

    code_names: ClassVar[tuple[str, ...]] = ("codes",)
    default_signature = "reconstruct"
    predicts = "reconstruct"

    @override
    def call(self, x, training=False):
        """Returns the mean of p(x | codes) for examples that went through the edge."""
        given = self.side_inputs(x)
        return self.reconstructed(self.encoded(x, *given)[0], *given)

    def side_inputs(self, x) -> tuple:
        """Returns further inputs of encoder and decoder for examples x: none by default."""
        return ()

    def encoded(self, x, *given) -> list[tf.Tensor]:
        """Returns the encoder's outputs for examples, float32, one for each of `code_names`."""
        outputs = self.encoder([x, *given] if given else x, training=self.training)
        return [tf.cast(output, tf.float32) for output in tf.nest.flatten(outputs)]

    def reconstructed(self, latents, *given) -> tf.Tensor:
        """Returns the mean of p(x | codes), or of p(x | codes, given)."""
        return self.likelihood.mean(self.decoded(latents, *given))

    def decoded(self, latents, *given) -> tf.Tensor:
        """Returns the parameters of p(x | codes), or of p(x | codes, given)."""
        return self.decoder([latents, *given] if given else latents, training=self.training)

    def reconstruction(self, latents, x, *given) -> tf.Tensor:
        """Returns -log p(x | latents, given) in the data's units, see `reconstruction_nats`."""
        nats = reconstruction_nats(
            self.decoder, self.likelihood, latents, x, self.training, *given
        )
        return self.edges["x"].nats_outside(nats)

    # Use -------------------------------------------------------------------------------------

    @capability
    def reconstruct(self, x):
        """Returns the reconstructions, in the kind of the examples."""
        return {"x": self(x)}

    @capability
    def encode(self, x):
        """Returns the codes, float32 `[n, ...]`; of several `code_names`, a tuple."""
        return dict(zip(self.code_names, self.encoded(x, *self.side_inputs(x)), strict=True))

    @capability
    def decode(self, latents):
        """Returns the mean of p(x | codes), images as uint8, for float codes `[n, ...]`."""
        return {"x": self.reconstructed(latents)}

    interpolate = interpolate

    # Building --------------------------------------------------------------------------------

    def __init__(self, latent_dim: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.latent_dim = latent_dim  # if given, it has to be that of the networks

    def freeze(self) -> None:
        """Ends its training: it encodes and decodes for a model that is trained on its codes."""
        self.trainable = False
        # Else files of that model would hold the state of an optimizer that has no work left.
        self.optimizer = None
        self.compiled = False


class EncoderDecoder(Coder):
    """Base of coders of one encoder and one decoder, which `for_images` and `for_vectors` build.

    Args:
        encoder: Examples to codes `[batch, ...]`.
        decoder: Codes to the likelihood's parameters.
        likelihood: Name or object: p(x | codes).
        seed: Seed of the noise.
    """

    encoder: keras.Model = network("x -> codes")
    decoder: keras.Model = network("codes -> parameters")
    likelihood: Named[likelihoods.Likelihood] = made_by(likelihoods.get, default="bernoulli")

    @override
    def set_up(self):
        """Adds the edges of the data and of the codes."""
        taken = tuple(self.decoder.inputs[0].shape[1:])
        if self.latent_dim not in (None, taken[-1]):
            raise ValueError(
                f"latent_dim is {self.latent_dim}, and the decoder takes latents {taken}: expected "
                "the same. Leave latent_dim out, because the networks determine it."
            )
        self.latent_dim = taken[-1]
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
            shape: `(height, width, channels)` of the images, the sides at least 2^len(filters).
            latent_dim: Dimensions of the codes.
            filters: Channels of the convolutions; each halves the sides.
            **kwargs: Further arguments of the class.

        Raises:
            TypeError: If the class has other networks than an encoder and a decoder.

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
        """Builds the model of rows of numbers in any units, with dense networks.

        The first `fit` finds the mean and standard deviation of each column, by which the networks'
        numbers are standardized; reconstructions, samples, and scores are in the units of the data.

        Args:
            shape: Columns of a row, or `(steps, channels)` of series.
            latent_dim: Dimensions of the codes.
            hidden: Units of the encoder's hidden layers, which the decoder mirrors.
            **kwargs: Further arguments of the class; the likelihood is `ColumnNormal` by default,
                with one learned standard deviation for each column.

        Raises:
            TypeError: If the class has other networks than an encoder and a decoder.

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

    # Arguments of the class by default in `for_vectors`.
    options_of_vectors: ClassVar[dict[str, Any]] = {
        "likelihood": likelihoods.ColumnNormal(),
        "standardize": True,
    }

    @classmethod
    def activation_of_codes(cls, options: dict) -> str | None:
        """Returns the activation of the usual encoder's outputs, of a model with these options."""
        return None

    @classmethod
    def _require_usual_networks(cls, given):
        """Raises a TypeError if the class has networks that are neither usual nor given."""
        networks = required_networks(cls)
        seen, codes = (names.split() for names in networks.pop("encoder").split("->"))
        taken = networks.pop("decoder").split("->")[0].split()
        usual = len(seen) == len(taken) == 1 and len(codes) == len(cls.code_names)
        if not usual or networks.keys() - given.keys():
            raise TypeError(f"{cls.__name__} has no usual networks: build it with its own.")


def outputs_per_value(likelihood: likelihoods.Likelihood) -> int:
    """Returns the outputs of a usual decoder for each value, before `with_scales`."""
    shared = isinstance(likelihood, likelihoods.ColumnNormal)
    return 1 if shared else likelihood.params_per_value


def with_scales(decoder: keras.Model, likelihood: likelihoods.Likelihood) -> keras.Model:
    """Returns a decoder to all parameters of the likelihood, of one to `outputs_per_value`."""
    if not isinstance(likelihood, likelihoods.ColumnNormal):
        return decoder
    return with_column_scales(decoder, likelihood.minimum_scale)


def decoder_to(
    likelihood: likelihoods.Likelihood, build: Callable, shape: Sequence[int], *sizes
) -> keras.Model:
    """Builds a decoder to all parameters of a likelihood.

    Args:
        likelihood: The likelihood.
        build: Function of `keras_gen.networks` that builds a decoder.
        shape: Shape of an example.
        *sizes: Further arguments of `build`.
    """
    *sides, channels = shape
    decoder = build((*sides, channels * outputs_per_value(likelihood)), *sizes)
    return with_scales(decoder, likelihood)


def decoder_edges(decoder, likelihood) -> dict[str, Edge]:
    """Returns the edges `x` and `latents` of a decoder to the parameters of a likelihood.

    Raises:
        ValueError: If the decoder's outputs per value do not fit the likelihood.
    """
    require_built(decoder)
    require_parameters(decoder, likelihood)
    *front, channels = decoder.output_shape[1:]
    needed = likelihood.params_per_value
    if channels % needed:
        raise ValueError(
            f"The decoder's output has shape {(*front, channels)} and {likelihood} needs "
            f"{needed} numbers per value: let the last axis be a multiple of {needed}."
        )
    return {
        "x": edge_of(likelihood, (*front, channels // needed)),
        "latents": Vectors(tuple(decoder.inputs[0].shape[1:])),
    }


def reconstruction_nats(decoder, likelihood, latents, x, training: bool, *given) -> tf.Tensor:
    """Returns -log p(x | latents, given), `[..., batch]` for latents `[..., batch, ...]`.

    Each example may have several latents. `given` are further inputs of the decoder, `[batch,
    ...]`, such as classes.
    """
    shape = decoder.inputs[0].shape[1:]
    front = keras.ops.shape(latents)[: -len(shape)]  # of several latents for each example
    inputs = [tf.reshape(latents, [-1, *shape])]
    for value, taken in zip(given, decoder.inputs[1:], strict=True):
        each = tf.broadcast_to(value, [*front, *taken.shape[1:]])
        inputs.append(tf.reshape(each, [-1, *taken.shape[1:]]))
    parameters = decoder(inputs if given else inputs[0], training=training)
    parameters = tf.reshape(parameters, [*front, *parameters.shape[1:]])
    return -likelihood.log_prob(parameters, x)


def require_moments(network, outputs) -> None:
    """Raises a ValueError if outputs of a functional model leave out means or log variances."""
    moments = keras.Model(network.inputs, outputs, name=network.name)
    require_range(UNBOUNDED, "means and log variances", moments)
