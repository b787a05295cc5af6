"""What autoencoders and VAEs share: a decoder of codes, and an encoder of examples to them."""

import inspect

import keras
import numpy as np
import tensorflow as tf

from keras_gen.bases.capabilities import Capable, capability
from keras_gen.bases.edges import Levels, Vectors
from keras_gen.bases.interpolation import path
from keras_gen.bases.likelihood import edge_of
from keras_gen.losses import likelihoods
from keras_gen.networks import conv_decoder, conv_encoder
from keras_gen.training import require_built


class Decoding(Capable):
    """A model with a `decoder` of latents and a `likelihood`, p(x | latents): decode."""

    def keep_decoder(self, decoder, likelihood) -> None:
        """Keeps a decoder and what its outputs are the parameters of, and names their edges.

        Raises:
            ValueError: If the decoder has not as many outputs per value as the likelihood needs.
        """
        require_built(decoder)
        self.decoder, self.likelihood = decoder, likelihoods.get(likelihood)
        *front, channels = decoder.output_shape[1:]
        needed = self.likelihood.params_per_value
        if channels % needed:
            raise ValueError(
                f"The decoder's output has shape {(*front, channels)} and {self.likelihood} needs "
                f"{needed} numbers per value: let the last axis be a multiple of {needed}."
            )
        self.edges["x"] = edge_of(self.likelihood, (*front, channels // needed))
        self.edges["latents"] = Vectors(tuple(decoder.inputs[0].shape[1:]))

    def reconstructed(self, latents, training: bool = False, *given) -> tf.Tensor:
        """Returns the mean of p(x | code), or of p(x | code, given)."""
        return self.likelihood.mean(_told(self.decoder, latents, given, training))

    def reconstruction(self, latents, x, training: bool, *given) -> tf.Tensor:
        """Returns -log p(x | latents, given), `[..., batch]` for latents `[..., batch, ...]`.

        What is given besides is one number for each example, `[batch]`, such as a class.
        """
        shape = self.decoder.inputs[0].shape[1:]
        front = keras.ops.shape(latents)[: -len(shape)]
        each = [tf.reshape(tf.broadcast_to(value, front), [-1]) for value in given]
        parameters = _told(self.decoder, tf.reshape(latents, [-1, *shape]), each, training)
        parameters = tf.reshape(parameters, [*front, *parameters.shape[1:]])
        return -self.likelihood.log_prob(parameters, x)

    @capability
    def decode(self, latents):
        """Returns the mean of p(x | code), images as uint8, for float codes `[n, ...]`."""
        return {"x": self.reconstructed(latents)}


class Coder(Decoding):
    """A model with an `encoder` too: encode, reconstruct, interpolate.

    `code_names` are what the encoder returns; the decoder takes the first.
    """

    code_names: tuple[str, ...] = ("codes",)
    default_signature = "reconstruct"

    @classmethod
    def for_images(cls, shape: tuple, latent_dim: int = 16, filters=(32, 64), **kwargs):
        """Builds the model with a convolutional encoder and decoder.

        Args:
            shape: `(height, width, channels)` of the images, the sides multiples of 4.
            latent_dim: Dimensions of the codes.
            filters: Channels of the convolutions, each of which halves the sides.
            **kwargs: Further arguments of the class.

        Raises:
            TypeError: If the class is not made of an encoder and a decoder.

        Example: `VAE.for_images((28, 28, 1), latent_dim=20)`.
        """
        takes = inspect.signature(cls).parameters
        known = {"encoder", "decoder", "likelihood"} <= takes.keys()
        if not known or cls.code_shapes is not Coder.code_shapes:
            raise TypeError(f"{cls.__name__} has no usual networks: build it with its own.")
        usual = takes["likelihood"].default
        likelihood = likelihoods.get(kwargs.get("likelihood", usual))
        parameters = (*shape[:-1], shape[-1] * likelihood.params_per_value)
        encoder = conv_encoder(shape, latent_dim, filters, heads=cls.code_names)
        decoder = conv_decoder(parameters, latent_dim, filters)
        return cls(encoder, decoder, **kwargs)  # type: ignore[call-arg]

    def join(self, encoder, decoder, likelihood) -> None:
        """Keeps two networks that fit each other, and names the edges of their data.

        Raises:
            ValueError: If encoder and decoder disagree about the codes.
        """
        require_built(encoder, decoder)
        shapes, takes = self.code_shapes(encoder), tuple(decoder.inputs[0].shape[1:])
        if shapes != [takes] * len(self.code_names):
            raise ValueError(
                f"The encoder's outputs have shapes {shapes} and the decoder's input "
                f"{takes}: expected {' and '.join(self.code_names)} of "
                "the shape that the decoder takes."
            )
        self.encoder = encoder
        self.keep_decoder(decoder, likelihood)
        self.edges["x"] = edge_of(self.likelihood, encoder.inputs[0].shape[1:])

    def code_shapes(self, encoder) -> list[tuple]:
        """Returns the shapes of the codes: of all that the encoder returns, unless told otherwise.

        A model whose encoder has other heads too overrides this and `encoded`.
        """
        return [tuple(output.shape[1:]) for output in encoder.outputs]

    def call(self, x, training=False):
        """Returns the mean of p(x | code) for the codes of examples that went through the edge."""
        given = self.side_inputs(x)
        return self.reconstructed(self.encoded(x, training, *given)[0], training, *given)

    def side_inputs(self, x) -> tuple:
        """Returns what encoder and decoder are given of examples besides: by default nothing."""
        return ()

    def encoded(self, x, training: bool = False, *given) -> list[tf.Tensor]:
        """Returns what the encoder makes of examples, float32, one for each of `code_names`."""
        codes = tf.nest.flatten(_told(self.encoder, x, given, training))
        return [tf.cast(code, tf.float32) for code in codes]

    # Use -------------------------------------------------------------------------------------

    @capability
    def reconstruct(self, x):
        """Returns the reconstructions, in the kind of the examples.

        Args:
            x: Examples `[n, ...]`, as their edge takes them: images as uint8, or floats.
            batch_size: Examples at once.
        """
        return {"x": self(x)}

    @capability
    def encode(self, x):
        """Returns the codes, float32 `[n, ...]`; of several `code_names`, a tuple.

        Args:
            x: Examples `[n, ...]`, as their edge takes them: images as uint8, or floats.
            batch_size: Examples at once.
        """
        return dict(zip(self.code_names, self.encoded(x, False, *self.side_inputs(x)), strict=True))

    def interpolate(self, a, b, steps: int = 8, **given):
        """Decodes points on the line between the codes of the examples `a` and `b`.

        Args:
            a: Examples `[n, ...]`, as their edge takes them.
            b: The same number of examples.
            steps: Points, at least 2: both ends are among them.
            **given: What `decode` takes besides, such as `labels`: one for each pair or for all.

        Returns:
            As `decode`, `[n, steps, ...]`.

        Raises:
            ValueError: If there are not as many of both, or `steps` is below 2.
        """
        codes = [self.encode(x) for x in (a, b)]
        start, end = (code[0] if isinstance(code, tuple) else code for code in codes)
        return decoded_path(self.decode, start, end, steps, **given)


class DiscreteCoder(Coder):
    """A coder whose codes are integers, of which the decoder takes what `embedded` makes."""

    def keep_codes(self, shape, levels: int, dtype: str | None = None, name="codes") -> None:
        """Names the edge of the codes.

        Args:
            shape: Of the codes of an example.
            levels: How many values a code may have.
            dtype: Of the codes outside, as of `Levels`.
            name: Of the edge, where there are several.

        Raises:
            ValueError: If there are fewer than 2 levels.
        """
        if levels < 2:
            raise ValueError(f"A code has {levels} values: expected at least 2 to tell apart.")
        self.edges[name] = Levels(tuple(shape), levels, name=name, dtype=dtype)

    def codes(self, x) -> tf.Tensor:
        """Returns the codes of examples that went through the edge, integers `[batch, ...]`."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its codes are.")

    def embedded(self, codes) -> tf.Tensor:
        """Returns what the decoder takes for codes: by default they are made one-hot."""
        return tf.one_hot(codes, self.decoder.input_shape[-1])

    def call(self, x, training=False):
        """Returns the mean of p(x | code) for the codes of examples that went through the edge."""
        return self.reconstructed(self.embedded(self.codes(x)), training)

    @capability
    def encode(self, x):
        """Returns the codes, integers `[n, ...]`.

        Args:
            x: Examples `[n, ...]`, as their edge takes them.
            batch_size: Examples at once.
        """
        return {"codes": self.codes(x)}

    @capability
    def decode(self, codes):
        """Returns the mean of p(x | codes), images as uint8, for integer codes `[n, ...]`."""
        return {"x": self.reconstructed(self.embedded(codes))}


def decoded_path(decode, a, b, steps: int, spherical: bool = False, **given):
    """Returns what a capability makes of points between codes.

    Args:
        decode: The capability, of codes `[batch, ...]`.
        a: Codes `[n, ...]`.
        b: Likewise.
        steps: Points, at least 2.
        spherical: As of `keras_gen.bases.interpolation.path`.
        **given: What `decode` takes besides: one for each pair or for all.

    Returns:
        As `decode`, `[n, steps, ...]`; of several outputs a tuple.

    Raises:
        ValueError: As `keras_gen.bases.interpolation.path`.
    """
    points = path(a, b, steps, spherical)
    given = {k: np.repeat(v, steps, axis=0) if np.ndim(v) else v for k, v in given.items()}
    decoded = decode(points.reshape(-1, *points.shape[2:]), **given)
    several = isinstance(decoded, tuple)
    parts = [np.asarray(part) for part in (decoded if several else (decoded,))]
    shaped = tuple(part.reshape(*points.shape[:2], *part.shape[1:]) for part in parts)
    return shaped if several else shaped[0]


def require_heads(encoder, *names: str) -> None:
    """Refuses an encoder that has not one output for each name.

    Raises:
        ValueError: If it has another number of them.
    """
    if len(encoder.outputs) != len(names):
        raise ValueError(
            f"The encoder '{encoder.name}' has {len(encoder.outputs)} outputs: expected "
            f"{', '.join(names)}; keras_gen.networks.with_head adds one to a network."
        )


def _told(network, inputs, given, training):
    """What a network makes of its first input, and of what it is given besides."""
    return network([inputs, *given] if given else inputs, training=training)
