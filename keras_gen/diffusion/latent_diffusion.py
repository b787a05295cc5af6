"""A diffusion model on the latents of a trained coder (Rombach et al. 2022)."""

from typing import Literal

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.autoencoders.coder import Coder
from keras_gen.core import capability, require_built, require_takes
from keras_gen.declared import Named, Positive, argument, fixed, made_by, network
from keras_gen.diffusion import paths
from keras_gen.diffusion.ddpm import DDPM
from keras_gen.diffusion.path_model import BlackLevel
from keras_gen.diffusion.paths import ChainSteps, Path
from keras_gen.diffusion.variational_bound import bound_nats
from keras_gen.networks.diffusion.time_networks import time_mlp, time_unet


@keras.saving.register_keras_serializable("keras_gen")
class LatentDiffusion(DDPM):
    """A DDPM on the latents of a trained coder; the coder decodes the samples.

    Rombach, Blattmann, Lorenz, Esser, Ommer: "High-Resolution Image Synthesis with Latent Diffusion
    Models", CVPR 2022. The coder is frozen. Training is algorithm 1 of `DDPM` with z = E(x) in
    place of x, as in eq. (2), and a sample is D(z). For a `VQVAE`, the latents are the encoder's
    outputs before quantization, which is part of the decoder (sec. 3.1, VQ-reg.); for a `VAE`, the
    latents are the means of q(z | x).

    `score` and `log_prob` are the bound of `DDPM` on the density of the examples' latents, in nats,
    with latents measured in units of `scale`.

    | paper | here |
    |-|-|
    | E, D | `coder` |
    | z | `latents_of(x)` |
    | sigma-hat of appendix G, by which z is divided | `scale` |
    | epsilon_theta | `network` |

    Deviations: see `DDPM`. In addition, a VAE's latents are means instead of samples.

    Args:
        network: Network that maps latents z_t `[batch, ...]` and times `[batch]` to a prediction
            with the same shape as the latents.
        coder: Trained `VQVAE`, `VAE`, `Autoencoder`, or similar model with one encoder and one
            decoder. Its weights do not change.
        scale: Standard deviation of the latents; `for_coder` computes it.
        probability_path: See `DDPM`.
        prediction: See `DDPM`.
        chain_steps: See `DDPM`.
        variance: See `DDPM`.
        seed: Seed for the noise and the times.

    Raises:
        TypeError: If the coder is not a model with one encoder and one decoder.
        ValueError: If the shape of the network's points does not match the coder's latents, or if
            `scale` is not positive; see also `DDPM`.

    Example:
    ```python
    from keras_gen import VAE
    images = np.zeros((8, 8, 8, 1), "uint8")
    coder = VAE.for_images((8, 8, 1), latent_dim=4)
    coder.compile()
    coder.fit(images, batch_size=4)
    model = LatentDiffusion.for_coder(coder, images, width=16)
    model.compile()
    model.fit(images, batch_size=4)
    new_images = model.sample(9, seed=1, steps=5)
    ```
    """

    frozen = ("coder",)

    options_of_vectors = {}

    coder: keras.Model = network(kw_only=True)
    scale: Positive = 1.0
    probability_path: Named[Path] = made_by(paths.get, default="linear", later=True)
    prediction: Literal["noise", "example", "v"] = argument(default="noise", later=True)
    chain_steps: ChainSteps = argument(default=1000, later=True)
    variance: Literal["beta", "beta_tilde"] = argument(default="beta", later=True)
    data: Literal["images", "vectors"] = fixed("vectors")
    black_level: BlackLevel = fixed(0.0)

    # Algorithm 1, for latents ----------------------------------------------------------------

    @override
    def terms(self, batch):
        """Returns the loss of eq. (2), `[batch]`."""
        return super().terms(batch | {"x": self.latents_of(batch["x"])})

    @override
    def nats(self, x):
        # Seeds are computed from the examples, because seeds computed from latents would change
        # with rounding.
        return bound_nats(self, self.latents_of(x), self.score_seeds(x))

    def latents_of(self, x) -> tf.Tensor:
        """Returns the latents of prepared examples, with standard deviations of about 1."""
        return latents_of(self.coder, x) / self.scale

    def examples_of(self, latents) -> tf.Tensor:
        """Returns the coder's output for scaled latents."""
        latents = latents * self.scale
        if hasattr(self.coder, "quantizer"):
            latents, _ = self.coder.quantizer(latents)
        return self.coder.reconstructed(latents)

    # Samples and codes -----------------------------------------------------------------------

    @override
    def from_noise(self, noise, steps=50, solver="ddim"):
        """Returns the examples for the latents at the end of the path."""
        return self.examples_of(super().from_noise(noise, steps, solver))

    @override
    @capability
    def encode(self, x):
        """Returns the noise that corresponds to the latents of examples, float32 `[n, ...]`."""
        return {"latents": self.encoded(self.latents_of(x))}

    @override
    @capability
    def decode(self, latents):
        """Returns the examples that correspond to noise `[n, ...]`."""
        return {"x": self.examples_of(self.decoded(latents))}

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        require_coder(self.coder)
        require_takes(self.network, self.coder.encoder.outputs[0].shape[1:])
        self.coder.freeze()
        self.edges["x"] = self.coder.edges["x"]

    @classmethod
    def for_coder(
        cls,
        coder: keras.Model,
        examples: np.ndarray,
        widths: tuple[int, ...] = (64, 128),
        width: int = 256,
        **kwargs,
    ):
        """Builds the model with a standard network; scales latents to a standard deviation of 1.

        Args:
            coder: Trained coder.
            examples: Examples in the coder's input format, used to compute the standard deviation
                of the latents.
            widths: Numbers of channels of the `time_unet`, which is used if latents are feature
                maps.
            width: Number of units per layer of the `time_mlp`, which is used if latents are
                vectors.
            **kwargs: Additional arguments for the class.

        Raises:
            TypeError: If the coder has an unsupported type.
            ValueError: If the sides of the feature maps cannot be halved as often as `widths`
                requires.
        """
        require_coder(coder)
        shape = tuple(coder.encoder.outputs[0].shape[1:])
        if len(shape) == 3:
            network = time_unet(shape, widths, patch=1)
        else:
            network = time_mlp(shape, width)
        batches = tf.data.Dataset.from_tensor_slices(np.asarray(examples)).batch(100)
        latents = [latents_of(coder, coder.edges["x"].prepare(batch)) for batch in batches]
        return cls(network, coder, float(np.std(np.concatenate(latents))), **kwargs)


def latents_of(coder, x) -> tf.Tensor:
    """Returns a coder's latents for prepared examples: codes, means, or unquantized latents."""
    if not hasattr(coder, "quantizer"):
        return coder.encoded(x)[0]  # `encoded` may first scale the examples
    latents, *_ = tf.nest.flatten(coder.encoder(x, training=False))
    return tf.cast(latents, tf.float32)


def require_coder(coder) -> None:
    """Raises a TypeError unless the coder has one encoder and one decoder for its latents."""
    require_built(coder)
    if not isinstance(coder, Coder) or not (hasattr(coder, "encoder") and _encodes(coder)):
        raise TypeError(
            f"coder is '{coder.name}': expected an unconditional model with an encoder, a decoder, "
            "and latent vectors, such as a VQVAE, a VAE, or an Autoencoder."
        )


def _encodes(coder) -> bool:
    """Returns whether the decoder accepts the encoder's output for examples, without conditions."""
    if len(coder.encoder.inputs) > 1 or len(coder.decode.takes(coder)) > 1:
        return False
    # The integer codes of a quantizer are indices of codebook vectors; other integer codes have no
    # vectors.
    vectors = "codes" not in coder.edges or hasattr(coder, "quantizer")
    return vectors and coder.encoder.outputs[0].shape[1:] == coder.decoder.inputs[0].shape[1:]
