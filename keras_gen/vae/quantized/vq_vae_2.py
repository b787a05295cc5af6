"""VQ-VAE-2: codes at two levels (Razavi, van den Oord, Vinyals 2019)."""

import keras
from typing_extensions import override

from keras_gen.core import capability
from keras_gen.core.likelihood_model import edge_of
from keras_gen.declared import network
from keras_gen.keras_internals import put_first
from keras_gen.vae.hierarchies.hierarchy import run
from keras_gen.vae.quantized.vq_vae import VQVAE


@keras.saving.register_keras_serializable("keras_gen")
class VQVAE2(VQVAE):
    """A VQ-VAE with two grids of codes: a small grid for the layout and a large grid for details.

    Razavi, van den Oord, Vinyals: "Generating Diverse High-Fidelity Images with VQ-VAE-2", NeurIPS
    2019, algorithm 1. The top level is quantized first, and the bottom level is conditioned on the
    top codes; the decoder uses the codes of both levels. Each level has a codebook, whose
    perplexity is reported as `perplexity` (bottom) and `perplexity_top`.

    Priors are learned afterward (algorithm 2). The prior of the top codes is a
    `keras_gen.autoregressive.PixelCNN`, which treats the top codes as images `top[..., None]` with
    `codebook_size` levels. The prior of the bottom codes is a network conditioned on the top codes;
    `keras_gen.autoregressive.sample_causal` samples from this network. `decode` accepts samples
    from these priors.

    Deviations: see `VectorQuantizer`, which restarts unused codes.

    Args:
        top_encoder: Network that maps examples to features for `encoder` and to the top latents
            `[batch, ..., dim]`.
        encoder: Network that maps the features and the codes of the top level to the latents of the
            bottom level.
        decoder: Network that maps the codes of the bottom level and of the top level to the
            likelihood's parameters.
        likelihood, codebook_size, commitment_weight, decay, dead_after, codebook_update, seed: See
            `VQVAE`. These arguments apply to both levels.

    Raises:
        ValueError: If the networks do not match, or if a weight is negative.

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
    no_builders = "has no standard networks: pass your own networks."

    top_encoder: keras.Model = network("x -> features top", kw_only=True)
    encoder: keras.Model = network("features top -> bottom", later=True)
    decoder: keras.Model = network("bottom top -> parameters", later=True)

    @override
    def loss_weights(self):
        return super().loss_weights() | {"perplexity_top": None}

    @override
    def quantized(self, x):
        features, h_top = run(self.top_encoder, [x], self.training)  # algorithm 1, line 1
        e_top, top = self.top_quantizer(h_top)  # algorithm 1, line 2
        (h_bottom,) = run(self.encoder, [features, e_top], self.training)  # algorithm 1, line 3
        e_bottom, bottom = self.quantizer(h_bottom)  # algorithm 1, line 4
        return [h_bottom, h_top], [e_bottom, e_top], [bottom, top]

    @override
    def reconstruction(self, latents, x):
        return -self.likelihood.log_prob(
            run(self.decoder, latents, self.training)[0], x
        )  # line 5

    @override
    def terms_of(self, batch, latents, vectors, codes):
        terms = {"reconstruction": self.reconstruction(vectors, batch["x"])}
        terms |= self.quantizer.terms(latents[0], codes[0])
        top_terms = self.top_quantizer.terms(latents[1], codes[1])
        perplexity = top_terms.pop("perplexity")
        terms |= {name: terms[name] + value for name, value in top_terms.items()}
        return terms | {"perplexity_top": perplexity}

    @override
    def move_codebooks(self, latents, vectors, codes):
        super().move_codebooks(latents[0], vectors[0], codes[0])
        self.top_quantizer.after_update(latents[1], codes[1], self.stateless_seed("top"))

    @override
    def codes(self, x):
        return self.quantized(x)[2]

    @override
    def embedded(self, codes):
        return [self.quantizer.embed(codes[0]), self.top_quantizer.embed(codes[1])]

    @override
    @capability
    def encode(self, x):
        """Returns the codes of examples at the top and bottom levels, integers `[n, ...]`."""
        return dict(zip(("top", "bottom"), reversed(self.codes(x)), strict=True))

    @override
    @capability
    def decode(self, top, bottom):
        """Returns the mean of p(x | codes) as uint8 images, given integer codes of both levels."""
        return {"x": self.reconstructed(self.embedded([bottom, top]))}

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        self.edges["x"] = edge_of(self.likelihood, self.top_encoder.input_shape[1:])
        self.top_quantizer = self.codebook("top", self.top_encoder.outputs[-1].shape[1:])
        put_first(
            self,
            self.encoder,
            self.decoder,
            self.quantizer,
            self.top_encoder,
            self.top_quantizer,
        )
