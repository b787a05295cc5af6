"""The vector-quantized VAE (van den Oord, Vinyals, Kavukcuoglu 2017)."""

from functools import partial
from typing import Annotated, Literal

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_size
from keras_gen.autoencoders.coder import EncoderDecoder
from keras_gen.autoencoders.integer_codes import decode, edge_of_codes, encode
from keras_gen.core import Player
from keras_gen.core.schedules import Weight
from keras_gen.declared import Fraction, Named, PositiveInteger, argument, made_by, network
from keras_gen.layers import VectorQuantizer
from keras_gen.losses import likelihoods
from keras_gen.losses.likelihoods import Likelihood


@keras.saving.register_keras_serializable("keras_gen")
class VQVAE(EncoderDecoder):
    """An autoencoder whose codes are integers, the indices of codebook entries.

    Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017. The
    loss is eq. (3). By default, the codebook is updated after each step with moving averages of the
    latents (appendix A.1), which replace the second term of eq. (3). `perplexity`, the effective
    number of codes in use, is reported.

    A prior over the codes is learned afterward with `keras_gen.autoregressive.CodePrior`.

    Deviations: see `VectorQuantizer`, which restarts unused codes.

    Args:
        encoder: Network that maps examples to latents `[batch, ..., dim]`.
        decoder: Network that maps codes `[batch, ..., dim]` to the likelihood's parameters.
        likelihood: Likelihood p(x|z), a name or an object.
        codebook_size: Number of codes, K.
        commitment_weight: Weight of the commitment loss, beta, a number or a schedule. The
            reconstruction loss is summed over the values of an example, as in eq. (3). The authors'
            code averages over all values and divides squared errors by the data's variance. The
            weight of 0.25 in the authors' code corresponds to 0.125 * values / dim here, for a
            `Normal` likelihood with the data's standard deviation. A weight of this size keeps the
            latents close to their codes.
        decay: Decay rate of the moving averages, gamma.
        dead_after: Number of updates after which an unused code restarts. If None, codes never
            restart.
        seed: Seed for selecting the latents at which codes restart.
        codebook_update: Method for updating the codebook: `"average"`, or `"loss"` for the second
            term of eq. (3).

    Raises:
        ValueError: If the encoder's latents do not match the decoder's input, or if a weight is
            negative.

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

    encoder: keras.Model = network("x -> latents")
    decoder: keras.Model = network("latents -> parameters")
    likelihood: Named[Likelihood] = made_by(likelihoods.get, default="normal")
    codebook_size: Annotated[int, partial(checked_size, minimum=2)] = 512
    commitment_weight: Weight = 0.25
    decay: Fraction = 0.99
    dead_after: PositiveInteger | None = 100
    codebook_update: Literal["average", "loss"] = argument(default="average", kw_only=True)

    @override
    def train_step(self, data):
        """Updates the networks to minimize eq. (3), and then updates the codebook.

        Unused codes are restarted.
        """
        loss, terms, _ = self.update_coder(self.prepare_batch(data))
        return self.report(terms, loss=loss)

    def update_coder(self, batch: dict) -> tuple:
        """Updates the networks and the codebook; returns the loss, its terms, and `quantized`."""

        def loss():
            quantized = self.quantized(batch["x"])
            terms = self.terms_of(batch, *quantized)
            return self.weighted(terms), terms, quantized

        loss, terms, quantized = self.minimize(loss)
        if self.training:
            with tf.control_dependencies([loss]):
                self.move_codebooks(*quantized)
        return loss, terms, quantized

    @override
    def terms(self, batch):
        return self.terms_of(batch, *self.quantized(batch["x"]))

    def terms_of(self, batch, latents, vectors, codes) -> dict:
        """Returns the terms of eq. (3) for quantized latents, and the perplexity."""
        reconstruction = self.reconstruction(vectors, batch["x"])
        return {"reconstruction": reconstruction} | self.quantizer.terms(latents, codes)

    @override
    def loss_weights(self):
        weights = {
            "reconstruction": 1.0,
            "commitment": self.commitment_weight,
            "perplexity": None,
        }
        return weights | ({"codebook": 1.0} if self.codebook_update == "loss" else {})

    @override
    def players(self):
        codebooks = [layer for layer in self.layers if isinstance(layer, VectorQuantizer)]
        learned = [codebook for codebook in codebooks if codebook.update == "loss"]
        return {"optimizer": Player([*self.networks.values(), *learned])}

    def quantized(self, x) -> tuple:
        """Returns latents, the nearest codebook vectors, and the indices of these vectors.

        The indices are the codes. The gradient with respect to the vectors passes straight through
        to the latents (eq. (2)).
        """
        latents = self.encoder(x, training=self.training)
        return latents, *self.quantizer(latents)

    def move_codebooks(self, latents, vectors, codes) -> None:
        """Updates the codebook if averages are used (appendix A.1); restarts unused codes."""
        self.quantizer.after_update(latents, codes, self.stateless_seed("codebook"))

    @override
    def encoded(self, x):
        return [self.embedded(self.codes(x))]

    @override
    def nats(self, x):
        return self.reconstruction(self.encoded(x)[0], x)

    def codes(self, x) -> tf.Tensor:
        """Returns the codes of examples prepared by the edge, integers `[batch, ...]`."""
        return self.quantizer(self.encoder(x, training=False))[1]

    def embedded(self, codes) -> tf.Tensor:
        """Returns the codebook vectors of codes, which are the decoder's input."""
        return self.quantizer.embed(codes)

    # Use -------------------------------------------------------------------------------------

    @override
    def call(self, x, training=False):
        """Returns the mean of p(x | codes) for examples prepared by the edge."""
        return self.reconstructed(self.embedded(self.codes(x)))

    encode = encode
    decode = decode

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        shape = self.decoder.inputs[0].shape[1:]
        self.quantizer = self.codebook(self.code_names[0], shape)

    def codebook(self, name, shape):
        """Adds an edge for the codes of latents `[*grid, dim]`, and returns the codebook."""
        *grid, dim = shape
        self.edges[name] = edge_of_codes(grid, self.codebook_size, name=name)
        options = dict(dead_after=self.dead_after, update=self.codebook_update)
        return VectorQuantizer(self.codebook_size, dim, self.decay, **options)
