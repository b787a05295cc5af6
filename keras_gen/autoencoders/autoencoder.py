"""The autoencoder (Hinton & Salakhutdinov 2006)."""

import keras
from typing_extensions import override

from keras_gen.autoencoders.coder import EncoderDecoder
from keras_gen.losses import UnboundedNormal


@keras.saving.register_keras_serializable("keras_gen")
class Autoencoder(EncoderDecoder):
    """An encoder that maps examples to codes, and a decoder that reconstructs the examples.

    Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science 2006,
    without the paper's pretraining. The loss is the reconstruction loss in nats per example. For
    `"bernoulli"`, it is the cross-entropy from the paper's supporting text, and for `"normal"`, it
    is half the squared error plus a constant. Variants add terms to this loss (see `terms`).
    `fit(x, y)` trains the model on pairs to reconstruct y from x.

    Deviations: all layers are trained together from the start, whereas the paper first trains a
    stack of restricted Boltzmann machines.

    Args:
        encoder: Network that maps examples to codes `[batch, ...]`.
        decoder: Network that maps codes to the likelihood's parameters.
        likelihood: Likelihood p(x | code), a name or an object.
        seed: Seed for the noise used by variants.

    Raises:
        ValueError: If the encoder's codes do not match the decoder's input.

    Example:
    ```python
    from keras_gen.networks import mlp_decoder, mlp_encoder
    model = Autoencoder(mlp_encoder(latent_dim=30), mlp_decoder(latent_dim=30))
    model.compile()
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model.fit(digits, batch_size=4)
    codes, scores = model.encode(digits), model.score(digits)
    ```
    """

    reconstructs_pairs = True

    @override
    def train_step(self, data):
        """Updates the encoder and the decoder to minimize the loss."""
        batch = self.prepare_batch(data)

        def error():
            terms = self.terms(batch)
            return self.weighted(terms), terms

        loss, terms = self.minimize(error)
        return self.report(terms, loss=loss)

    @override
    def terms(self, batch):
        return self.terms_of(batch, self.encoded(batch["x"])[0])

    def terms_of(self, batch, codes) -> dict:
        """Returns the terms of the loss for the codes of a batch."""
        target = batch.get("target", batch["x"])
        return {"reconstruction": self.reconstruction(codes, target)}

    @override
    def loss_weights(self):
        return {"reconstruction": 1.0}

    @override
    def nats(self, x):
        """Returns -log p(x | code), without the additional terms of a variant."""
        return self.reconstruction(self.encoded(x)[0], x)

    # Building --------------------------------------------------------------------------------

    # The loss is half the squared error, because a learned standard deviation would shrink with the
    # error.
    options_of_vectors = EncoderDecoder.options_of_vectors | {
        "likelihood": UnboundedNormal(scale=1.0)
    }
