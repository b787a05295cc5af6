"""PixelVAE (Gulrajani et al. 2017)."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.autoregressive.causality import require_causal, require_draws
from keras_gen.autoregressive.sampling import sample_causal
from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import capability, stateless_seed
from keras_gen.core.kinds_of_data import Number, Seeds
from keras_gen.core.noise import seeded
from keras_gen.core.schedules import Weight
from keras_gen.declared import NonNegative, argument, network
from keras_gen.losses import free_kl_standard_normal, likelihoods
from keras_gen.networks import conv_encoder, pixel_vae_decoder
from keras_gen.vae.vae import VAE


@keras.saving.register_keras_serializable("keras_gen")
class PixelVAE(VAE):
    """A VAE with a PixelCNN decoder that conditions each value on the latents and earlier values.

    Gulrajani, Kumar, Ahmed, Taiga, Visin, Vazquez, Courville: "PixelVAE: A Latent Variable Model
    for Natural Images", ICLR 2017, eq. (1) and sec. 3.1, with one layer of latents. The loss is a
    bound on the negative log-likelihood, in which -log p(x|z) is the sum over values of -log
    p(value | earlier values, z). The latents determine what an image shows, and the PixelCNN adds
    details. `kl`, `elbo`, `score`, and `log_prob` are computed from the bound itself, without the
    free bits and `beta` below.

    An autoregressive decoder can ignore the latents, in which case the posterior collapses to the
    prior. Two techniques prevent such a collapse: a PixelCNN with a small receptive field (as in
    the paper; see `networks.pixel_vae_decoder`), and free bits (Kingma et al. 2016). With free
    bits, `loss = reconstruction_loss + beta * free_kl_loss`, where `free_kl` is the sum over
    latents of max(free_bits, mean divergence of the batch). A third technique is a schedule for
    `beta` that increases from 0.

    As in `VAE`, each step updates the encoder and the decoder once to minimize the loss.

    Deviations: free bits are used (`free_bits=0` disables them), and there is no hierarchy of
    latents.

    Args:
        encoder: Network that maps examples to the mean and log variance of q(z|x), each
            `[batch, latents]`.
        decoder: Network that maps latents `[batch, latents]` and images
            `[batch, height, width, channels]` to the likelihood's parameters for each value. These
            parameters may depend only on the latents and on earlier values of the image.
        likelihood: Likelihood of a value, a name or an object.
        free_bits: Divergence of each latent, in nats, below which the divergence is not minimized;
            at least 0.
        beta: Weight of the divergence, a number or a schedule.
        seed: Seed for the noise.

    Raises:
        ValueError: If the decoder does not accept images and the encoder's latents, if it is not
            causal in the images, or if `free_bits` or `beta` is negative.

    Example:
    ```python
    model = PixelVAE.for_images((8, 8, 1), latent_dim=2, filters=(4,), likelihood="bernoulli")
    model.compile()
    model.fit(np.zeros((8, 8, 8, 1), "uint8"), batch_size=4)
    images = model.sample(9, seed=1, temperature=0.9)
    latents, _ = model.encode(images)
    alike = model.render(latents, seeds=np.arange(9))  # details that the latents leave open
    differ
    ```
    """

    unserved = ()  # nothing is left out: exports have an input for the pixel temperature

    decoder: keras.Model = network("z x -> parameters")
    free_bits: NonNegative = 0.1
    beta: Weight = argument(default=1.0, later=True)

    @override
    def terms(self, batch):
        x = batch["x"]
        _, posterior = inferred = self.inferred(x)
        terms = self.elbo_terms(x, inferred)
        free_kl = free_kl_standard_normal(*posterior, self.free_bits)
        elbo = -terms["reconstruction"] - terms["kl"]
        return terms | {"free_kl": free_kl, "elbo": elbo}

    @override
    def loss_weights(self):
        # A weight of None means that the term is reported, but not minimized.
        return {"reconstruction": 1.0, "free_kl": self.beta, "kl": None, "elbo": None}

    # The loss --------------------------------------------------------------------------------

    @override
    def reconstruction(self, latents, x, *given):
        """Returns -log p(x | latents), summed over the values; each is given all earlier values."""
        # The second x is the input of the autoregressive decoder.
        return super().reconstruction(latents, x, x)

    # Samples ---------------------------------------------------------------------------------

    def drawn_pixels(self, latents, uniforms, temperature=1.0) -> tf.Tensor:
        """Returns images that are sampled value by value, given latents `[n, latents]`.

        Args:
            latents: Latents of each image.
            uniforms: Noise in [0, 1), `[n, *pixel_noise_shape]`.
            temperature: Sampling temperature. Temperatures below 1 make likely values more likely.
        """

        def draw(parameters, uniform):
            return self.likelihood.draw(parameters, uniform[:, None], temperature)[:, 0]

        return sample_causal(values_first(self.decoder), draw, uniforms, [latents])

    def pixel_noise_shape(self) -> list:
        """Returns the shape of the noise for the values of one image."""
        return [*self.edges["x"].shape, self.likelihood.uniforms_per_value]

    @override
    def reconstructed(self, latents, *given):
        """Returns images sampled given latents, with the same noise for every image's values."""
        seed = stateless_seed(self.seed, 0, "values")
        uniforms = tf.random.stateless_uniform(self.pixel_noise_shape(), seed)
        count = keras.ops.shape(latents)[0]
        return self.drawn_pixels(latents, tf.repeat(uniforms[None], count, axis=0))

    @capability
    def render(self, latents, seeds):
        """Returns images sampled given latents `[n, latents]`, with the noise of the given seeds.

        `decode` uses the same noise for all images.
        """
        shape = self.pixel_noise_shape()
        uniforms = seeded(tf.random.stateless_uniform, seeds, shape)
        return {"x": self.drawn_pixels(latents, uniforms)}

    @override
    def noise(self, n, key):
        other = tf.random.experimental.stateless_fold_in(key, 1)
        uniforms = tf.random.stateless_uniform([n, *self.pixel_noise_shape()], other)
        return super().noise(n, key) | {"values": uniforms}

    @override
    def from_noise(self, noise, temperature=1.0):
        """Samples latents from the prior, and then images value by value given these latents.

        A temperature below 1 makes likely values more likely. The temperature does not affect the
        latents.
        """
        return self.drawn_pixels(noise["latents"], noise["values"], temperature)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        require_draws(self.likelihood)
        require_causal(values_first(self.decoder), self.likelihood.levels)
        self.edges["seeds"] = Seeds()
        self.edges["temperature"] = Number(1e-3, 10.0, "temperature")

    @override
    @classmethod
    @checked_arguments(square=True)
    def for_images(
        cls, shape: tuple, latent_dim: int = 16, filters: tuple[int, ...] = (32, 64), **kwargs
    ):
        """Builds the model with a convolutional encoder and a `pixel_vae_decoder`.

        For arguments, see `Coder.for_images`.
        """
        likelihood = likelihoods.get(kwargs.get("likelihood", "bernoulli"))
        encoder = conv_encoder(
            shape, latent_dim, filters, heads=cls.code_names, levels=likelihood.levels
        )
        decoder = pixel_vae_decoder(
            shape,
            latent_dim,
            likelihood.params_per_value,
            filters=filters[0] * shape[-1],
            decoder_filters=filters,
            levels=likelihood.input_levels,
        )
        return cls(encoder, decoder, **kwargs)


def values_first(decoder) -> keras.Model:
    """Returns the decoder as a causal network that accepts the values as its first input."""
    latents, images = decoder.inputs
    return keras.Model([images, latents], decoder.outputs[0], name=decoder.name)
