"""The VAE with categorical latents (Jang, Gu, Poole 2017; Maddison, Mnih, Teh 2017)."""

import math
from typing import Annotated

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.autoencoders.integer_codes import decode, edge_of_codes, encode
from keras_gen.core import require_logits
from keras_gen.core.noise import gumbel, several
from keras_gen.core.schedules import Exponential, Schedule, between
from keras_gen.declared import network
from keras_gen.losses import kl_categorical, relaxed_codes, relaxed_kl
from keras_gen.vae.vae import VAE, Inferred

# Temperature schedule from Jang et al., sec. 4: max(0.5, exp(-r t)) with r = 1e-5, which reaches
# 0.5 after log(2) / r steps.
ANNEALED = Exponential(1.0, 0.5, steps=69_315)
LEAST = 1e-3  # minimum temperature; below it, gradients vanish in float32


@keras.saving.register_keras_serializable("keras_gen")
class GumbelVAE(VAE):
    """A VAE with categorical latents, trained through a relaxation of one-hot codes.

    Jang, Gu, Poole: "Categorical Reparameterization with Gumbel-Softmax", ICLR 2017, and Maddison,
    Mnih, Teh: "The Concrete Distribution: A Continuous Relaxation of Discrete Random Variables",
    ICLR 2017. The decoder is trained on relaxed codes, the softmax of noisy logits divided by a
    temperature. In general, the loss for relaxed codes, `reconstruction_loss + beta * kl_loss`, is
    not a bound on the likelihood under hard codes. `elbo`, `score`, and `log_prob` (with 16
    samples) decode hard codes and are bounds. Methods such as `sample` and `reconstruct` use hard
    codes.

    By default, the divergence is computed in closed form between hard codes and the uniform prior.
    With `prior_temperature`, the prior is also relaxed (Maddison et al., sec. 3.3), and the loss is
    a bound for the relaxed model, estimated with one sample.

    Deviations: Jang et al. keep the temperature constant for 500 or 1,000 steps at a time; here,
    the temperature decreases at every step.

    Args:
        encoder: Network that maps examples to logits `[batch, variables, classes]`.
        decoder: Network that maps codes `[batch, variables, classes]` to the likelihood's
            parameters.
        likelihood: Likelihood p(x|z), a name or an object.
        beta: Weight of the KL divergence, a number or a schedule.
        temperature: Temperature of the relaxation, a number or a schedule, at least 0.001.
        straight_through: Whether the decoder is trained on hard codes with the gradient of the
            relaxed codes (Jang et al., sec. 2.2).
        prior_temperature: Temperature of the relaxed prior, a number or a schedule, at least
            0.001. If None, the prior is not relaxed.
        seed: Seed for the noise of the latents.

    Raises:
        ValueError: If the networks do not match, if there are fewer than 2 classes, if `beta` is
            negative, or if a temperature is below 0.001.

    Example:
    ```python
    from keras_gen.networks import mlp_decoder, mlp_encoder
    shape = (30, 10)  # variables, classes
    model = GumbelVAE(mlp_encoder(latent_dim=shape), mlp_decoder(latent_dim=shape))
    model.compile()
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model.fit(digits, batch_size=4)
    codes = model.encode(digits)  # int32 [8, 30]
    images = model.decode(codes)
    ```
    """

    code_names = ("logits",)

    encoder: keras.Model = network("x -> codes")
    decoder: keras.Model = network("codes -> parameters")
    temperature: Annotated[float | Schedule, between(LEAST)] = ANNEALED
    straight_through: bool = False
    prior_temperature: Annotated[float | Schedule, between(LEAST)] | None = None

    @override
    def terms(self, batch):
        x = batch["x"]
        codes, log_codes, logits = self.relaxed(x)
        discrete = kl = kl_categorical(logits)
        if self.prior_temperature is not None:
            temperature = self.scheduled(self.temperature)
            prior_temperature = self.scheduled(self.prior_temperature)
            kl = relaxed_kl(log_codes, logits, temperature, prior_temperature)
        with self.inference():
            elbo = -discrete - self.reconstruction(_largest(log_codes), x)
        return {"reconstruction": self.reconstruction(codes, x), "kl": kl, "elbo": elbo}

    @override
    def loss_weights(self):
        return super().loss_weights() | {"elbo": None}

    def relaxed(self, x) -> tuple:
        """Returns relaxed codes (sampled with this step's noise), their logarithms, and the logits.

        With `straight_through`, the returned codes have the values of hard codes and the gradients
        of relaxed codes.
        """
        (logits,) = self.encoded(x)
        noise = self.gumbel("latents", keras.ops.shape(logits))
        log_codes = relaxed_codes(logits, noise, self.scheduled(self.temperature))
        codes = tf.exp(log_codes)
        if self.straight_through:
            codes += tf.stop_gradient(_largest(log_codes) - codes)
        return codes, log_codes, logits

    @override
    def drawn(self, posterior, seed, samples: int | None = None) -> Inferred:
        noise = several(gumbel, keras.ops.shape(posterior[0]), samples, seed)
        return Inferred(_largest(posterior[0] + noise), posterior)

    @override
    def latent_ratio(self, inferred):
        codes, (logits, *_) = inferred
        ratios = -codes * (tf.nn.log_softmax(logits) + math.log(logits.shape[-1]))
        return tf.reduce_sum(ratios, axis=list(range(1 - logits.shape.rank, 0)))

    def codes(self, x) -> tf.Tensor:
        """Returns the most likely codes of examples, int32 `[batch, variables]`."""
        return tf.argmax(self.encoded(x)[0], axis=-1, output_type=tf.int32)

    def embedded(self, codes) -> tf.Tensor:
        """Returns codes as one-hot codes, which are the decoder's input."""
        return tf.one_hot(codes, self.decoder.input_shape[-1])

    # Use -------------------------------------------------------------------------------------

    @override
    def noise(self, n, key):
        noise = super().noise(n, key)
        return noise | {"latents": _largest(noise["latents"])}

    @override
    def from_noise(self, noise):  # type: ignore[override]  # one-hot codes have no scale
        return self.example_of(noise)

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
        require_logits(self.encoder)
        *variables, classes = self.decoder.input_shape[1:]
        self.edges["codes"] = edge_of_codes(variables, classes, "int32")


def _largest(scores):
    return tf.one_hot(tf.argmax(scores, axis=-1), scores.shape[-1])
