"""The importance-weighted autoencoder (Burda, Grosse, Salakhutdinov 2016)."""

from typing import Literal

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.core.schedules import Weight
from keras_gen.declared import Count, fixed
from keras_gen.losses.divergences import importance_weighted_nats
from keras_gen.vae.vae import VAE


@keras.saving.register_keras_serializable("keras_gen")
class IWAE(VAE):
    """A VAE trained on the tighter bound given by k weighted samples of the latents.

    Burda, Grosse, Salakhutdinov: "Importance Weighted Autoencoders", ICLR 2016. The loss is the
    negative of eq. (8), in nats per example; its gradient by automatic differentiation is eq. (14).
    `elbo` is also reported; `score` and `log_prob` return the bound with k samples. With one
    sample, the bound is the ELBO of a `VAE`, with the divergence estimated from that sample.

    With `"standard"`, the encoder's gradient becomes noisier as k grows. The estimator `"dreg"` has
    the same mean as `"standard"`, but a lower variance (Tucker, Lawson, Gu, Maddison: "Doubly
    Reparameterized Gradient Estimators for Monte Carlo Objectives", ICLR 2019). The loss and the
    decoder's gradient do not change. Deviations: none.

    Args:
        encoder: Network that maps examples to the mean and log variance of q(z|x), each
            `[batch, latents]`.
        decoder: Network that maps latents `[batch, latents]` to the likelihood's parameters.
        likelihood: Likelihood p(x|z), a name or an object.
        samples: Number of latent samples per example, k. The paper uses 5 and 50.
        estimator: Estimator of the encoder's gradient, "standard" or "dreg".
        seed: Seed for the noise of the latents.

    Raises:
        ValueError: If the networks do not match, if `samples` is below 1, or if the estimator is
            unknown.

    Example:
    ```python
    model = IWAE.for_images((28, 28, 1), latent_dim=2, samples=5)
    model.compile()
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model.fit(digits, batch_size=4)
    nats = -model.log_prob(digits)
    ```
    """

    beta: Weight = fixed(1.0)
    samples: Count = 5
    estimator: Literal["standard", "dreg"] = "standard"

    @override
    def terms(self, batch):
        x = batch["x"]
        inferred = self.drawn(self.encoded(x), self.stateless_seed("latents"), self.samples)
        if self.estimator == "standard" or not self.training:
            log_weights = self.log_ratio(x, inferred)
            elbo = tf.reduce_mean(log_weights, axis=0)
            return {"bound": importance_weighted_nats(log_weights), "elbo": elbo}
        fixed = tf.nest.map_structure(tf.stop_gradient, inferred)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(fixed.latents)
            log_weights = self.log_ratio(x, fixed)
        elbo = tf.reduce_mean(log_weights, axis=0)
        bound = importance_weighted_nats(log_weights)  # for the decoder's gradient
        # The encoder's gradient is sum_i (w_i / sum_j w_j)^2 d log w_i / d z_i, which reaches q's
        # parameters only through z_i.
        squares = tf.square(tf.nn.softmax(log_weights, axis=0))
        by_latents = tape.gradient(log_weights, fixed.latents)
        slopes = tf.stop_gradient(tf.einsum("kb,kb...->kb...", squares, by_latents))
        axes = [0, *range(2, slopes.shape.rank)]
        zero = tf.reduce_sum(slopes * (inferred.latents - fixed.latents), axes)
        return {"bound": bound - zero, "elbo": elbo}

    @override
    def loss_weights(self):
        return {"bound": 1.0, "elbo": None}

    @override
    def nats(self, x):
        return importance_weighted_nats(self.log_weights(x, self.samples, self.score_seeds(x)))
