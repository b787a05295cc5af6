"""VQ-VAE-2: codes at two levels (Razavi, van den Oord, Vinyals 2019)."""

import keras
from typing_extensions import override

from keras_gen.bases import Inferred
from keras_gen.bases.hierarchy import run
from keras_gen.bases.likelihood import edge_of
from keras_gen.training import capability, require_built
from keras_gen.vae.vq_vae import VQVAE


@keras.saving.register_keras_serializable("keras_gen")
class VQVAE2(VQVAE):
    """A VQ-VAE with two grids of codes: a small one of the whole, and a large one of details.

    Razavi, van den Oord, Vinyals: "Generating Diverse High-Fidelity Images with VQ-VAE-2", NeurIPS
    2019, algorithm 1. The top level is quantized first; where the bottom level is quantized, the
    top's codes are known; the decoder takes both. Each level has a codebook. `perplexity` is that
    of the bottom level, `perplexity_top` that of the top level.

    Priors are learned afterwards (algorithm 2). `PixelCNN` of `keras_gen.autoregressive` takes the
    top's codes as images of `codebook_size` levels, for which an axis of channels is added,
    `top[..., None]`. A prior of the bottom level has the top's codes as a condition of its network
    (`keras_gen.autoregressive.sample_causal`). What is sampled goes to `decode`.

    Deviations: as `VectorQuantizer`, which restarts codes that are not used.

    Args:
        top_encoder: Examples to two outputs: features, of which the bottom level is made, and the
            top level's latents `[batch, ..., dim]`.
        encoder: Features and the top level's codes to the bottom level's latents.
        decoder: Codes of the bottom and of the top level to the likelihood's parameters.
        **kwargs: As of `VQVAE`; both levels have as many codes, and learn them alike.

    Raises:
        ValueError: If the networks do not fit each other, or a weight is negative.

    Example:
    ```python
    from keras_gen.networks import vq_vae_2_networks

    networks = vq_vae_2_networks((32, 32, 3), latent_dim=8, filters=8, residual_filters=4)
    model = VQVAE2(**networks, codebook_size=512)
    model.compile()
    photos = np.zeros((8, 32, 32, 3), "uint8")
    model.fit(photos, batch_size=4)
    top, bottom = model.encode(photos)  # int32 [8, 4, 4] and [8, 8, 8]
    images = model.decode(top, bottom)
    ```
    """

    code_names = ("bottom",)

    def __init__(self, top_encoder, encoder, decoder, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        require_built(top_encoder)
        self.top_encoder = top_encoder
        self.edges["x"] = edge_of(self.likelihood, top_encoder.input_shape[1:])
        self.top_quantizer = self.codebook("top", top_encoder.outputs[-1].shape[1:])
        self(keras.ops.zeros([1, *self.edges["x"].shape]))  # Whatever does not fit is found now.

    @override
    def loss_weights(self):
        return super().loss_weights() | {"perplexity_top": None}

    @override
    def infer(self, x, training):
        """Returns the codes, and latents and indices, of the bottom and of the top level."""
        features, h_top = run(self.top_encoder, [x], training)  # algorithm 1, line 1
        e_top, top = self.top_quantizer(h_top)  # line 2
        (h_bottom,) = run(self.encoder, [features, e_top], training)  # line 3
        e_bottom, bottom = self.quantizer(h_bottom)  # line 4
        return Inferred([e_bottom, e_top], [(h_bottom, bottom), (h_top, top)])

    @override
    def reconstruction(self, latents, x, training):
        """Returns -log p(x | codes of both levels), `[batch]`."""
        return -self.likelihood.log_prob(run(self.decoder, latents, training)[0], x)  # line 5

    @override
    def loss_terms(self, x, inferred, training):
        """Returns the terms of the VQ-VAE's eq. (3), those of the codes summed over the levels."""
        bottom, top = inferred.parameters
        terms = super().loss_terms(x, Inferred(inferred.latents, bottom), training)
        top_terms = self.top_quantizer.terms(*top)
        perplexity = top_terms.pop("perplexity")
        terms |= {name: terms[name] + value for name, value in top_terms.items()}
        return terms | {"perplexity_top": perplexity}

    @override
    def after_update(self, x, inferred):
        """Moves both codebooks."""
        super().after_update(x, Inferred((), inferred.parameters[0]))
        self.top_quantizer.after_update(*inferred.parameters[1], self.stateless_seed("top"))

    @override
    def codes(self, x):
        """Returns the indices of the bottom and of the top level."""
        return [indices for _, indices in self.infer(x, training=False).parameters]

    @override
    def embedded(self, codes):
        """Returns the codebooks' entries."""
        return [self.quantizer.embed(codes[0]), self.top_quantizer.embed(codes[1])]

    @override
    @capability
    def encode(self, x):
        """Returns the codes, integers `[n, ...]` of the top level, and of the bottom level.

        Args:
            x: Examples `[n, ...]`, as their edge takes them: images as uint8, or floats.
            batch_size: Examples at once.
        """
        return dict(zip(("top", "bottom"), reversed(self.codes(x)), strict=True))

    @override
    @capability
    def decode(self, top, bottom):
        """Returns the mean of p(x | codes), images as uint8, for integer codes of both levels."""
        return {"x": self.reconstructed(self.embedded([bottom, top]))}
