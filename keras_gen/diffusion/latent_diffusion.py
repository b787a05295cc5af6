"""A diffusion model of the latents of a trained coder (Rombach et al. 2022)."""

from typing import Literal

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.autoencoders.coder import Coder
from keras_gen.core import capability, require_built
from keras_gen.declared import Named, Positive, argument, fixed, made_by, network
from keras_gen.diffusion import paths
from keras_gen.diffusion.ddpm import DDPM
from keras_gen.diffusion.path_model import BlackLevel
from keras_gen.diffusion.paths import ChainSteps, Path
from keras_gen.diffusion.variational_bound import bound_nats
from keras_gen.networks.diffusion.time_mlp import time_mlp
from keras_gen.networks.diffusion.time_unet import time_unet


@keras.saving.register_keras_serializable("keras_gen")
class LatentDiffusion(DDPM):
    """A DDPM of the latents of a trained coder, which decodes what is drawn.

    Rombach, Blattmann, Lorenz, Esser, Ommer: "High-Resolution Image Synthesis with Latent Diffusion
    Models", CVPR 2022. The coder is frozen: training is algorithm 1 of `DDPM` with z = E(x) for x,
    eq. (2), and a sample is D(z). Latents of a `VQVAE` are those before the codebook, whose nearest
    vectors are part of its decoder (sec. 3.1, VQ-reg.); of a `VAE` the means of q(z | x).

    `score` and `log_prob` are the bound of `DDPM` on the density of the latents of examples, in
    nats and in units of `scale`.

    | paper | here |
    |-|-|
    | E, D | `coder` |
    | z | `latents_of(x)` |
    | sigma-hat of appendix G, by which z is divided | `scale` |
    | epsilon_theta | `network` |

    Deviations: those of `DDPM`; a VAE's latents are means, not draws.

    Args:
        network: Latents z_t `[batch, ...]` and times `[batch]` to what it predicts, of the same
            shape.
        coder: A trained `VQVAE`, `VAE` or `Autoencoder`, or of a kin with one encoder and one
            decoder, whose weights are not changed.
        scale: Deviation of the latents: `for_coder` finds it.
        probability_path: See `DDPM`.
        prediction: See `DDPM`.
        chain_steps: See `DDPM`.
        variance: See `DDPM`.
        seed: Seed of noise and times.

    Raises:
        TypeError: If the coder is no such model.
        ValueError: See `DDPM`; if the network's points are no latents of the coder, or `scale` is
            not above 0.

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

    # Algorithm 1, of latents -----------------------------------------------------------------

    @override
    def terms(self, batch):
        """Returns the loss of eq. (2), `[batch]`."""
        return super().terms(batch | {"x": self.latents_of(batch["x"])})

    @override
    def nats(self, x):
        # By seeds of the examples: those of latents would change where these are rounded otherwise.
        return bound_nats(self, self.latents_of(x), self.score_seeds(x))

    def latents_of(self, x) -> tf.Tensor:
        """Returns the latents of prepared examples, of about unit deviation."""
        return latents_of(self.coder, x) / self.scale

    def examples_of(self, latents) -> tf.Tensor:
        """Returns what the coder decodes from such latents."""
        latents = latents * self.scale
        if hasattr(self.coder, "quantizer"):
            latents, _ = self.coder.quantizer(latents)
        return self.coder.reconstructed(latents)

    # Samples and codes -----------------------------------------------------------------------

    @override
    def from_noise(self, noise, steps=50, solver="ddim"):
        """Returns the examples of the latents at the path's end."""
        return self.examples_of(super().from_noise(noise, steps, solver))

    @override
    @capability
    def encode(self, x):
        """Returns the noise that leads to examples' latents, float32 `[n, ...]`."""
        return {"latents": self.encoded(self.latents_of(x))}

    @override
    @capability
    def decode(self, latents):
        """Returns the examples to which noise `[n, ...]` leads."""
        return {"x": self.examples_of(self.decoded(latents))}

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        require_coder(self.coder)
        found = self.edges["latents"].shape
        expected = tuple(self.coder.encoder.outputs[0].shape[1:])
        if found != expected:
            raise ValueError(
                f"The network '{self.network.name}' takes points of shape {found}: expected "
                f"{expected}, the shape of the coder's latents."
            )
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
        """Builds the model with a usual network, for latents scaled to deviation 1.

        Args:
            coder: The trained coder.
            examples: Some, as the coder takes them, that say how far latents spread.
            widths: Of a `time_unet`, for latents that are maps.
            width: Of a `time_mlp`, for latents that are vectors.
            **kwargs: Further arguments of the class.

        Raises:
            TypeError: If the coder is of another kind.
            ValueError: If the maps cannot be halved as often as `widths` says.
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
    """Returns a coder's latents of prepared examples: codes, means, or what it quantizes."""
    if not hasattr(coder, "quantizer"):
        return coder.encoded(x)[0]  # which may scale examples first
    latents, *_ = tf.nest.flatten(coder.encoder(x, training=False))
    return tf.cast(latents, tf.float32)


def require_coder(coder) -> None:
    """Raises a TypeError unless the coder has one encoder and one decoder of its latents."""
    require_built(coder)
    if not isinstance(coder, Coder) or not (hasattr(coder, "encoder") and _encodes(coder)):
        raise TypeError(
            f"coder is '{coder.name}': expected a model with an encoder and a decoder, such as a "
            "VQVAE, a VAE or an Autoencoder, without conditions and with latents that are vectors."
        )


def _encodes(coder) -> bool:
    """Whether the decoder accepts what the encoder returns for examples, without conditions."""
    if len(coder.encoder.inputs) > 1 or len(coder.decode.takes(coder)) > 1:
        return False
    # Integers of a codebook are found by a quantizer; others have no vectors.
    vectors = "codes" not in coder.edges or hasattr(coder, "quantizer")
    return vectors and coder.encoder.outputs[0].shape[1:] == coder.decoder.inputs[0].shape[1:]
