"""The sparse autoencoder."""

from typing import Literal

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.autoencoders.autoencoder import Autoencoder
from keras_gen.core import batch_mean, for_users
from keras_gen.core.network_checks import require_probabilities
from keras_gen.core.schedules import Weight


@keras.saving.register_keras_serializable("keras_gen")
class SparseAutoencoder(Autoencoder):
    """An autoencoder with many code units, only a few of which are active for any example.

    Ng: "Sparse autoencoder", CS294A lecture notes, 2011, defines `penalty="kl"`: the sum over code
    units of the KL divergence KL(target || mean activation) between Bernoulli distributions.
    `penalty="l1"` is the sum of the absolute values of the codes.

    Deviations: the mean activation is computed over the batch, whereas the notes use the training
    set.

    Args:
        encoder: Network that maps examples to codes `[batch, ...]`. With `"kl"`, codes must be
            between 0 and 1, as after a sigmoid; in this case, `for_images` and `for_vectors` add a
            sigmoid to the encoder.
        decoder: Network that maps codes to the likelihood's parameters.
        likelihood: Likelihood p(x | code), a name or an object.
        penalty: Type of penalty, `"kl"` or `"l1"`.
        weight: Weight of the penalty, a number or a schedule. In the notes, which use a squared
            error, the weight is called beta; its value is 3.
        target: Target mean activation rho for `"kl"`.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.

    Raises:
        ValueError: If `penalty` is unknown, if `weight` is negative, or if `target` is not between
            0 and 1; with `"kl"`, also if the encoder ends with an activation other than a sigmoid.

    Example:
    ```python
    from keras_gen.networks import mlp_decoder, mlp_encoder
    encoder = mlp_encoder(latent_dim=200, hidden=(), output_activation="sigmoid")
    model = SparseAutoencoder(encoder, mlp_decoder(latent_dim=200, hidden=()), weight=3.0)
    ```
    """

    penalty: Literal["kl", "l1"] = "kl"
    weight: Weight = 3.0
    target: float = 0.05

    @override
    def terms(self, batch):
        codes = self.encoded(batch["x"])[0]
        return self.terms_of(batch, codes) | {"sparsity": self._sparsity(codes)}

    @override
    def loss_weights(self):
        return super().loss_weights() | {"sparsity": self.weight}

    @for_users
    def activations(self, images, batch_size: int = 256):
        """Returns the mean activation of each code unit over a set of images, float32 `[codes]`."""
        return self.encode(images, batch_size=batch_size).mean(axis=0)

    def _sparsity(self, codes):
        if self.penalty == "l1":
            return tf.reduce_sum(tf.abs(codes), axis=list(range(1, codes.shape.rank)))
        # The mean is clipped, because the output of a sigmoid may be rounded to 0 or 1.
        mean = tf.clip_by_value(batch_mean(codes), 1e-6, 1 - 1e-6)
        rho = self.target
        divergence = rho * tf.math.log(rho / mean) + (1 - rho) * tf.math.log(
            (1 - rho) / (1 - mean)
        )
        return tf.fill(tf.shape(codes)[:1], tf.reduce_sum(divergence))

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        if self.penalty == "kl":
            require_probabilities(self.encoder)
        if not 0 < self.target < 1:
            raise ValueError(
                f"target is {self.target}: expected a mean activation between 0 and 1."
            )

    @override
    @classmethod
    def activation_of_codes(cls, options):
        return "sigmoid" if options.get("penalty", "kl") == "kl" else None
