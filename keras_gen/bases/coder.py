"""What autoencoders and VAEs share: a decoder of codes, and an encoder of examples to them."""

import inspect

import keras
import numpy as np
import tensorflow as tf

from keras_gen.bases.capabilities import Capable, capability
from keras_gen.bases.likelihood import edge_of
from keras_gen.data.edges import Levels, Vectors
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
        self.edges["latents"] = Vectors(tuple(decoder.input_shape[1:]))

    def reconstructed(self, latents, training: bool = False) -> tf.Tensor:
        """Returns the mean of p(x | code)."""
        return self.likelihood.mean(self.decoder(latents, training=training))

    def reconstruction(self, latents, x, training: bool) -> tf.Tensor:
        """Returns -log p(x | latents), `[..., batch]` for latents `[..., batch, ...]`."""
        shape = self.decoder.input_shape[1:]
        front = keras.ops.shape(latents)[: -len(shape)]
        parameters = self.decoder(tf.reshape(latents, [-1, *shape]), training=training)
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
        if not {"encoder", "decoder", "likelihood"} <= takes.keys():
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
        shapes = [tuple(output.shape[1:]) for output in encoder.outputs]
        if shapes != [tuple(decoder.input_shape[1:])] * len(self.code_names):
            raise ValueError(
                f"The encoder's outputs have shapes {shapes} and the decoder's input "
                f"{tuple(decoder.input_shape[1:])}: expected {' and '.join(self.code_names)} of "
                "the shape that the decoder takes."
            )
        self.encoder = encoder
        self.keep_decoder(decoder, likelihood)
        self.edges["x"] = edge_of(self.likelihood, encoder.input_shape[1:])

    def call(self, x, training=False):
        """Returns the mean of p(x | code) for the codes of examples that went through the edge."""
        return self.reconstructed(self.encoded(x, training)[0], training)

    def encoded(self, x, training: bool = False) -> list[tf.Tensor]:
        """Returns what the encoder makes of examples, float32, one for each of `code_names`."""
        codes = tf.nest.flatten(self.encoder(x, training=training))
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
        return dict(zip(self.code_names, self.encoded(x), strict=True))

    def interpolate(self, a, b, steps: int = 8):
        """Decodes points on the line between the codes of the examples `a` and `b`.

        Args:
            a: Examples `[n, ...]`, as their edge takes them.
            b: The same number of examples.
            steps: Points, both ends included.

        Returns:
            As `decode`, `[n, steps, ...]`.
        """
        codes = [self.encode(x) for x in (a, b)]
        start, end = (c[0] if isinstance(c, tuple) else c for c in codes)
        fractions = np.linspace(0.0, 1.0, steps).reshape([steps, *[1] * (start.ndim - 1)])
        line = (1 - fractions) * start[:, None] + fractions * end[:, None]
        decoded = self.decode(line.reshape(-1, *start.shape[1:]).astype("float32"))
        parts = decoded if isinstance(decoded, tuple) else (decoded,)
        shaped = tuple(part.reshape(*line.shape[:2], *part.shape[1:]) for part in parts)
        return shaped if len(shaped) > 1 else shaped[0]


class DiscreteCoder(Coder):
    """A coder whose codes are integers, of which the decoder takes what `embedded` makes."""

    def keep_codes(self, shape, levels: int, dtype: str | None = None) -> None:
        """Names the edge of the codes.

        Args:
            shape: Of the codes of an example.
            levels: How many values a code may have.
            dtype: Of the codes outside, as of `Levels`.

        Raises:
            ValueError: If there are fewer than 2 levels.
        """
        if levels < 2:
            raise ValueError(f"A code has {levels} values: expected at least 2 to tell apart.")
        self.edges["codes"] = Levels(tuple(shape), levels, name="codes", dtype=dtype)

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
