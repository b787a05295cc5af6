"""The autoencoder (Hinton & Salakhutdinov 2006)."""

import keras
from typing_extensions import override

from keras_gen.bases import Coder, Inferred


@keras.saving.register_keras_serializable("keras_gen")
class Autoencoder(Coder):
    """An encoder of examples to codes and a decoder that reconstructs the examples.

    Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science 2006,
    without their pretraining. The loss is that of the reconstruction, in nats per example: with
    `"bernoulli"` the cross-entropy of their supporting text, with `"normal"` half the squared error
    and a constant. Variants add terms to it (`loss_terms`). `fit(x, y)` trains on pairs: y is
    reconstructed of x.

    Deviations: all layers are trained from the start by one optimizer; the paper first trains a
    stack of restricted Boltzmann machines.

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
    model = Autoencoder(mlp_encoder(latent_dim=30), mlp_decoder(latent_dim=30))
    model.compile()
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model.fit(digits, batch_size=4)
    codes, scores = model.encode(digits), model.score(digits)
    ```
    """

    reconstructs_pairs = True

    def __init__(self, encoder, decoder, likelihood="bernoulli", seed=0, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.set_networks(encoder, decoder, likelihood)

    @override
    def loss_weights(self):
        return {"reconstruction": 1.0}

    @override
    def infer(self, x, training, **batch):
        return Inferred(self.encoded(x, training)[0])

    @override
    def loss_terms(self, x, inferred, training, **batch):
        target = batch.get("target", x)
        return {"reconstruction": self.reconstruction(inferred.latents, target, training)}

    @override
    def nats(self, x):
        """Returns -log p(x | code), without the terms of a variant."""
        return self.reconstruction(self.encoded(x)[0], x, training=False)
