"""The contractive autoencoder (Rifai et al. 2011)."""

from typing import Literal

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.autoencoders.autoencoder import Autoencoder
from keras_gen.core import capability
from keras_gen.core.schedules import Weight


@keras.saving.register_keras_serializable("keras_gen")
class ContractiveAutoencoder(Autoencoder):
    """An autoencoder with the penalty weight * ||dh/dx||_F^2 on the Jacobian of the codes h.

    Rifai, Vincent, Muller, Glorot, Bengio: "Contractive Auto-Encoders: Explicit Invariance During
    Feature Extraction", ICML 2011, eq. (7).

    Deviations: see `Autoencoder`. In addition, unlike in the paper, the encoder and the decoder do
    not share weights.

    Args:
        encoder: Network that maps examples to codes `[batch, ...]`.
        decoder: Network that maps codes to the likelihood's parameters.
        likelihood: Likelihood p(x | code), a name or an object.
        weight: Weight lambda of the penalty, a number or a schedule. The paper uses 0.1 for its
            MNIST classifier.
        method: Method for computing the norm. `"closed_form"`: eq. (6), exact, for one dense
            sigmoid layer. `"jacobian"`: exact, for any encoder, with one backward pass per
            dimension of the code. `"hutchinson"`: an unbiased estimate with one backward pass along
            a random direction. `"auto"`: the closed form if it applies, otherwise the estimate.
        seed: Seed for the random directions.

    Raises:
        ValueError: If `method` is unknown or does not apply, if `weight` is negative, or if the
            likelihood is for integers.

    Example:
    ```python
    from keras_gen.networks import mlp_decoder, mlp_encoder
    encoder = mlp_encoder(latent_dim=1000, hidden=(), output_activation="sigmoid")
    model = ContractiveAutoencoder(encoder, mlp_decoder(latent_dim=1000, hidden=()), weight=0.1)
    ```
    """

    weight: Weight = 0.1
    method: Literal["auto", "closed_form", "jacobian", "hutchinson"] = "auto"

    @override
    def terms(self, batch):
        codes, contraction = self._contraction(batch["x"], self.method)
        return self.terms_of(batch, codes) | {"contraction": contraction}

    @override
    def loss_weights(self):
        return super().loss_weights() | {"contraction": self.weight}

    @capability
    def jacobian_norms(self, x):
        """Returns the exact ||dh/dx||_F of each example, float32 `[n]` (sec. 5.2)."""
        exact = "jacobian" if self._layer is None else "closed_form"
        return {"norms": tf.sqrt(self._contraction(x, exact)[1])}

    def _contraction(self, x, method):
        """Returns the codes and ||dh/dx||_F^2, `[batch]`."""
        if method == "closed_form" or (method == "auto" and self._layer is not None):
            codes = self.encoded(x)[0]
            # Eq. (6): sum_j (h_j (1 - h_j))^2 sum_i W_ij^2.
            norms = tf.reduce_sum(tf.square(self._layer.kernel), axis=0)
            return codes, tf.linalg.matvec(tf.square(codes * (1 - codes)), norms)
        with tf.GradientTape() as tape:
            tape.watch(x)
            codes = self.encoded(x)[0]
            flat = tf.reshape(codes, [tf.shape(codes)[0], -1])
            if method != "jacobian":
                # E |v J|^2 = ||J||_F^2 for v with independent entries of mean 0 and variance 1.
                direction = self.normal("direction", keras.ops.shape(codes))
                along = tf.reduce_sum(codes * direction)
        slopes = (
            tape.batch_jacobian(flat, x) if method == "jacobian" else tape.gradient(along, x)
        )
        return codes, tf.reduce_sum(tf.square(slopes), axis=list(range(1, slopes.shape.rank)))

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        if self.likelihood.levels:
            raise ValueError(
                f"The likelihood is {self.likelihood}, whose data are integers, so codes have no "
                "gradient with respect to the data: use another likelihood, such as 'bernoulli' or "
                "'normal'."
            )
        self._layer = _sigmoid_layer(self.encoder)
        if self.method == "closed_form" and self._layer is None:
            raise ValueError(
                "method is 'closed_form', which requires an encoder with one dense sigmoid "
                "layer: use 'jacobian' or 'hutchinson'."
            )


def _sigmoid_layer(encoder):
    """Returns the single dense sigmoid layer of the encoder, or None."""
    plain = (keras.layers.InputLayer, keras.layers.Flatten, keras.layers.Reshape)
    rest = [layer for layer in encoder.layers if not isinstance(layer, plain)]
    if len(rest) != 1 or not isinstance(rest[0], keras.layers.Dense):
        return None
    # For inputs with more axes, each unit computes several codes, each from only a part of the
    # input.
    alone = tuple(encoder.output_shape) == (None, rest[0].units)
    return rest[0] if alone and rest[0].activation is keras.activations.sigmoid else None
