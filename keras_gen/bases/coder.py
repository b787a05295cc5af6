"""What autoencoders and VAEs share: an encoder of examples to codes, and the way back."""

import keras
import numpy as np
import tensorflow as tf

from keras_gen.bases.capabilities import Capable, capability
from keras_gen.bases.likelihood import edge_of
from keras_gen.data.edges import Vectors
from keras_gen.losses import likelihoods
from keras_gen.training import require_built


class Coder(Capable):
    """A model with an `encoder`, a `decoder` and a `likelihood`: encode, decode, interpolate.

    `code_names` are what the encoder returns; the decoder takes the first.
    """

    code_names: tuple[str, ...] = ("codes",)
    default_signature = "reconstruct"

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
        self.encoder, self.decoder = encoder, decoder
        self.likelihood = likelihoods.get(likelihood)
        self.edges["x"] = edge_of(self.likelihood, encoder.input_shape[1:])
        self.edges["latents"] = Vectors(tuple(decoder.input_shape[1:]))

    def call(self, x, training=False):
        """Returns the mean of p(x | code) for the codes of examples that went through the edge."""
        return self.reconstructed(self.encoded(x, training)[0], training)

    def encoded(self, x, training: bool = False) -> list[tf.Tensor]:
        """Returns what the encoder makes of examples, float32, one for each of `code_names`."""
        codes = tf.nest.flatten(self.encoder(x, training=training))
        return [tf.cast(code, tf.float32) for code in codes]

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

    @capability
    def decode(self, latents):
        """Returns the mean of p(x | code), images as uint8, for float codes `[n, ...]`."""
        return {"x": self.reconstructed(latents)}

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
