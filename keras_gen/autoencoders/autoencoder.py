"""The autoencoder, and what all models that encode and decode share."""

import keras
import numpy as np
import tensorflow as tf

from keras_gen.losses import likelihoods
from keras_gen.training import GenerativeModel, minimize, require_built


@keras.saving.register_keras_serializable("keras_gen")
class Autoencoder(GenerativeModel):
    """An encoder of examples to codes and the decoder that brings them back.

    Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science
    2006, without their pretraining. The loss is the reconstruction's, in nats an example: with
    `"bernoulli"` the cross-entropy of their supporting text, with `"normal"` half the squared error
    and a constant. Variants add terms to it (`loss_terms`).

    Deviations: trained from the start with one optimizer, where the paper first trains a stack of
    restricted Boltzmann machines.

    Args:
        encoder: Examples to codes `[batch, ...]`.
        decoder: Codes to the likelihood's parameters.
        likelihood: Name or object: p(x | code).
        seed: Seed of the noise that variants draw.

    Raises:
        ValueError: If encoder and decoder disagree about the codes.

    Example:
    ```python
    from keras_gen.networks import mlp_decoder, mlp_encoder

    model = Autoencoder(mlp_encoder(latents=30, outputs=("codes",)), mlp_decoder(latents=30))
    model.compile()
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model.fit(digits, batch_size=4)
    codes, scores = model.encode(digits), model.score(digits)
    ```
    """

    reported: tuple[str, ...] = ("loss", "reconstruction_loss")
    # What the encoder returns; the decoder takes the first.
    code_names: tuple[str, ...] = ("codes",)

    def __init__(self, encoder, decoder, likelihood="bernoulli", seed=0, **kwargs):
        super().__init__(seed=seed, **kwargs)
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
        self.data_range = self.likelihood.range

    def compile(self, optimizer="adam", **kwargs):
        """Compiles with one optimizer for encoder and decoder.

        Args:
            optimizer: A `keras.optimizers.Optimizer` or its name.
            **kwargs: `run_eagerly`, `jit_compile`, `steps_per_execution`.
        """
        super().compile(optimizer=optimizer, **kwargs)

    def call(self, x, training=False):
        """Reconstructs float examples in `data_range`."""
        codes = self._codes(x, training)[0]
        return self.likelihood.mean(self.decoder(codes, training=training))

    # Training --------------------------------------------------------------------------------

    def train_step(self, data):
        """Takes one step on the sum of the loss terms."""
        inputs = self._inputs(data)

        def total_loss():
            terms = self.loss_terms(**inputs, training=True)
            return self._weighted(terms), terms

        loss, terms = minimize(total_loss, self.optimizer, *self.networks.values())
        return self.report(loss=loss, **_named(terms))

    def test_step(self, data):
        """Returns the loss of held-out examples and its terms."""
        terms = self.loss_terms(**self._inputs(data), training=False)
        return self.report(training=False, loss=self._weighted(terms), **_named(terms))

    def loss_terms(self, x, training: bool) -> dict:
        """Returns the terms of the loss, in nats: the hook of variants.

        Args:
            x: Float examples in `data_range`.
            training: Whether this is a training step.

        Returns:
            `{"reconstruction": [batch]}`, and what a variant adds.
        """
        return {"reconstruction": self._reconstruction(self._codes(x, training)[0], x, training)}

    def weights_of_terms(self) -> dict[str, float]:
        """Returns the weights of the terms of the loss that do not count once."""
        return {}

    def _weighted(self, terms):
        weights = self.weights_of_terms()
        return sum(weights.get(name, 1.0) * value for name, value in terms.items())

    def _reconstruction(self, codes, x, training):
        """-log p(x | codes), `[batch]`."""
        return -self.likelihood.log_prob(self.decoder(codes, training=training), x)

    def _codes(self, x, training):
        return tf.nest.flatten(self.encoder(x, training=training))

    def _inputs(self, data) -> dict:
        """What `loss_terms` takes, of what `fit` was given."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return {"x": self.prepare(x)}

    # Use -------------------------------------------------------------------------------------

    def encode(self, images, batch_size: int = 256):
        """Returns the codes, float32 `[n, ...]`; of several `code_names`, a tuple.

        Args:
            images: uint8, or float in `data_range`, `[n, ...]`.
            batch_size: Examples at once.
        """
        parts = [self._codes(x, training=False) for x in self._batches(images, batch_size)]
        whole = tuple(np.concatenate(part) for part in zip(*parts, strict=True))
        return whole if len(whole) > 1 else whole[0]

    def decode(self, codes) -> np.ndarray:
        """Returns the mean of p(x | code) as uint8 images for float codes `[n, ...]`."""
        return self._decoded(tf.cast(codes, tf.float32))["images"].numpy()

    def reconstruct(self, images, batch_size: int = 256) -> np.ndarray:
        """Returns the reconstructions, in the kind of `images`."""
        batches = self._batches(images, batch_size)
        return np.concatenate([self.like(images[:1], self(x)) for x in batches])

    def interpolate(self, a, b, steps: int = 8) -> np.ndarray:
        """Decodes points on the line between the codes of images `a` and `b`.

        Args:
            a: uint8 or float images `[n, ...]`.
            b: The same number of images.
            steps: Points, both ends included.

        Returns:
            uint8 `[n, steps, ...]`.
        """
        line = self._line(a, b, steps)
        images = self.decode(line.reshape(-1, *line.shape[2:]))
        return images.reshape(*line.shape[:2], *images.shape[1:])

    def score(self, images, batch_size: int = 256) -> np.ndarray:
        """Returns how badly each example is modelled: high for what is unlike the training data.

        Args:
            images: uint8, or float in `data_range`, `[n, ...]`.
            batch_size: Examples at once.

        Returns:
            Float32 `[n]`, nats.
        """
        batches = self._batches(images, batch_size)
        return np.concatenate([self._score(x) for x in batches])

    def threshold(self, images, quantile: float = 0.99) -> float:
        """Returns the score that the share `quantile` of normal, held-out examples stays below.

        Args:
            images: Normal examples that were not trained on, as `score` takes them.
            quantile: Between 0 and 1; 1 - `quantile` is the rate of false alarms.

        Example: `anomalies = model.score(images) > model.threshold(normal_images)`.
        """
        if not 0 <= quantile <= 1:
            raise ValueError(f"quantile is {quantile}: it must lie between 0 and 1.")
        return float(np.quantile(self.score(images), quantile))

    def signatures(self) -> dict:
        """Returns `reconstruct`, `encode`, `decode` and `score`; images are uint8."""

        def encode(images):
            codes = self._codes(self.prepare(images), training=False)
            return dict(zip(self.code_names, codes, strict=True))

        def reconstruct(images):
            return self._decoded(self._codes(self.prepare(images), training=False)[0])

        def score(images):
            return {"scores": self._score(self.prepare(images))}

        images = [self._examples()]
        latents = [tf.TensorSpec([None, *self.decoder.input_shape[1:]], tf.float32, name="latents")]
        return {
            "reconstruct": (reconstruct, images),
            "encode": (encode, images),
            "decode": (self._decoded, latents),
            "score": (score, images),
        }

    def _score(self, x):
        return self._reconstruction(self._codes(x, training=False)[0], x, training=False)

    def _line(self, a, b, steps):
        """Codes on the lines between those of two batches of examples, `[n, steps, ...]`."""
        start, end = (np.asarray(self._codes(self.prepare(x), training=False)[0]) for x in (a, b))
        share = np.linspace(0.0, 1.0, steps).reshape([steps, *[1] * (start.ndim - 1)])
        return (1 - share) * start[:, None] + share * end[:, None]

    def _examples(self) -> tf.TensorSpec:
        """What the signatures take."""
        return tf.TensorSpec([None, *self.encoder.input_shape[1:]], tf.uint8, name="images")

    def _decoded(self, codes) -> dict:
        """What the signatures return of codes."""
        return {"images": self.to_uint8(self.likelihood.mean(self.decoder(codes, training=False)))}

    def _batches(self, images, batch_size):
        for start in range(0, len(images), batch_size):
            yield self.prepare(images[start : start + batch_size])


def _named(terms):
    return {f"{name}_loss": value for name, value in terms.items()}
