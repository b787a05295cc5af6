"""The vector-quantized VAE (van den Oord, Vinyals, Kavukcuoglu 2017)."""

import keras

from keras_gen.bases import DiscreteCoder, Inferred, LikelihoodModel
from keras_gen.layers import VectorQuantizer
from keras_gen.training import schedules


@keras.saving.register_keras_serializable("keras_gen")
class VQVAE(DiscreteCoder, LikelihoodModel):
    """An autoencoder whose codes are entries of a codebook: integers.

    Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017. The
    loss is eq. (3) without its second term, in whose place the codebook follows the latents by
    moving averages (appendix A.1), after each update. `perplexity`, how many codes are in use, is
    reported.

    Deviations: as `VectorQuantizer`, which restarts codes that are not used.

    Args:
        encoder: Examples to latents `[batch, ..., dim]`.
        decoder: Codes `[batch, ..., dim]` to the likelihood's parameters.
        likelihood: Name or object: p(x|z).
        codebook_size: K.
        commitment_weight: Beta, a number or a schedule of the step.
        decay: Gamma of the moving averages.
        dead_after: Updates without a use after which a code restarts; None: never.
        seed: Seed of the latents that codes restart at.

    Raises:
        ValueError: If encoder and decoder disagree about the latents, or a weight is negative.

    Example:
    ```python
    from keras_gen.networks import mlp_decoder, mlp_encoder

    encoder = mlp_encoder(latent_dim=4)
    model = VQVAE(encoder, mlp_decoder(latent_dim=4), codebook_size=16)
    model.compile()
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model.fit(digits, batch_size=4)
    codes = model.encode(digits)
    images = model.decode(codes)
    ```
    """

    def __init__(
        self, encoder, decoder, likelihood="normal", codebook_size: int = 512,
        commitment_weight=0.25, decay: float = 0.99, dead_after: int | None = 100, seed=0, **kwargs,
    ):  # fmt: skip
        super().__init__(seed=seed, **kwargs)
        self.join(encoder, decoder, likelihood)
        *grid, dim = decoder.input_shape[1:]
        self.quantizer = VectorQuantizer(codebook_size, dim, decay, dead_after=dead_after)
        self.codebook_size, self.decay, self.dead_after = codebook_size, decay, dead_after
        self.commitment_weight = schedules.weight("commitment_weight", commitment_weight)
        self.keep_codes(grid, codebook_size)

    def loss_weights(self):
        """Returns beta for the commitment; the perplexity is only reported."""
        return {"reconstruction": 1.0, "commitment": self.commitment_weight, "perplexity": None}

    def infer(self, x, training):
        """Returns the codes nearest to the latents, and both latents and indices."""
        latents = self.encoder(x, training=training)
        quantized, indices = self.quantizer(latents)
        return Inferred(quantized, (latents, indices))

    def loss_terms(self, x, inferred, training):
        """Returns the terms of eq. (3): `reconstruction`, `commitment`; and the perplexity."""
        return {
            "reconstruction": self.reconstruction(inferred.latents, x, training),
            "commitment": self.quantizer.commitment(*inferred.parameters),
            "perplexity": self.quantizer.perplexity(inferred.parameters[1]),
        }

    def after_update(self, x, inferred):
        """Moves the codebook (appendix A.1)."""
        self.quantizer.after_update(*inferred.parameters, self.stateless_seed("codebook"))

    def encoded(self, x, training=False):
        """Returns the codes nearest to the latents of examples."""
        return [self.quantizer(self.encoder(x, training=training))[0]]

    def nats(self, x):
        """Returns -log p(x | codes)."""
        return self.reconstruction(self.encoded(x)[0], x, training=False)

    def codes(self, x):
        """Returns the indices of the codes nearest to the latents of examples."""
        return self.quantizer(self.encoder(x, training=False))[1]

    def embedded(self, codes):
        """Returns the codebook's entries."""
        return self.quantizer.embed(codes)
