"""A latent-variable model without an encoder, trained by naive Monte Carlo maximum likelihood."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.autoencoders.coder import decoder_edges, reconstruction_nats
from keras_gen.core import LikelihoodModel, capability, log_prob, sample
from keras_gen.core.kinds_of_data import Number
from keras_gen.core.noise import normal, several
from keras_gen.declared import Count, Named, made_by, network
from keras_gen.losses import likelihoods
from keras_gen.losses.divergences import importance_weighted_nats
from keras_gen.losses.likelihoods import Likelihood


@keras.saving.register_keras_serializable("keras_gen")
class PriorSampledModel(LikelihoodModel):
    """A decoder trained on an estimate of log p(x) that uses latents from the normal prior.

    The method is described in Doersch: "Tutorial on Variational Autoencoders", arXiv 1606.05908,
    2016, sec. 2, which introduces VAEs as an improvement on it. With z_1, ..., z_k sampled from
    N(0, 1) for each example, p(x) is about 1/k sum_i p(x|z_i). The loss is the negative log of this
    estimate, in nats per example. As for the bound of an `IWAE`, the expected log of the estimate
    is at most log p(x), and increases with k. `score` and `log_prob` use the same k latents in
    every call.

    The model reports `effective_sample_size`, which is (sum w)^2 / sum w^2 for the weights w_i =
    p(x|z_i), and is between 1 and k. The effective sample size stays close to 1, because few
    latents from the prior are near the latents that explain an example.

    Deviations: none. The tutorial does not specify k.

    Args:
        decoder: Network that maps latents `[batch, ...]` to the likelihood's parameters.
        likelihood: Likelihood p(x|z), a name or an object.
        samples: Number of latent samples per example, k. Each step decodes k samples for
            each example in the batch.
        seed: Seed for the latents.

    Raises:
        ValueError: If `samples` is below 1, or if the decoder does not match the likelihood.

    Example:
    ```python
    from keras_gen.networks import mlp_decoder
    model = PriorSampledModel(mlp_decoder(latent_dim=2), samples=20)
    model.compile()
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model.fit(digits, batch_size=4)
    images = model.sample(9, seed=1)
    ```
    """

    default_signature = "sample"
    unserved = ("temperature",)
    sample = sample
    log_prob = log_prob

    decoder: keras.Model = network("z -> parameters")
    likelihood: Named[Likelihood] = made_by(likelihoods.get, default="bernoulli")
    samples: Count = 100

    @override
    def terms(self, batch):
        log_w = self.log_weights(batch["x"], self.samples, self.stateless_seed("latents"))
        size = tf.exp(2 * tf.reduce_logsumexp(log_w, axis=0) - tf.reduce_logsumexp(2 * log_w, 0))
        return {"nll": importance_weighted_nats(log_w), "effective_sample_size": size}

    @override
    def loss_weights(self):
        return {"nll": 1.0, "effective_sample_size": None}

    def log_weights(self, x, samples: int, seed) -> tf.Tensor:
        """Returns log p(x|z) for latents z from the prior, `[samples, batch]`, in nats."""
        shape = [keras.ops.shape(x)[0], *self.decoder.input_shape[1:]]
        latents = several(normal, shape, samples, seed)
        return -reconstruction_nats(self.decoder, self.likelihood, latents, x, self.training)

    @override
    def nats(self, x):
        return importance_weighted_nats(self.log_weights(x, self.samples, self.score_seeds(x)))

    def noise(self, n, key):
        """Samples latents for n examples from the prior."""
        return tf.random.stateless_normal([n, *self.decoder.inputs[0].shape[1:]], key)

    def from_noise(self, noise, temperature=1.0):
        """Returns the mean of p(x|z) for latents with a standard deviation of `temperature`."""
        return self.likelihood.mean(self.decoder(temperature * noise, training=False))

    @capability
    def decode(self, latents):
        """Returns the mean of p(x|z) as uint8 images, for float latents `[n, ...]`."""
        return {"x": self.from_noise(latents)}

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        self.edges |= decoder_edges(self.decoder, self.likelihood)
        self.edges["temperature"] = Number(0.0, 10.0, "temperature")
