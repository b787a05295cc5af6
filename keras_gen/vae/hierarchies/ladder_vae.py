"""The ladder variational autoencoder (Sønderby, Raiko, Maaløe, Sønderby, Winther 2016)."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.vae.hierarchies.hierarchy import HierarchicalVAE, heads


@keras.saving.register_keras_serializable("keras_gen")
class LadderVAE(HierarchicalVAE):
    """A VAE with L layers of latents that are inferred top-down, in the order of generation.

    Sønderby, Raiko, Maaløe, Sønderby, Winther: "Ladder Variational Autoencoders", NeurIPS 2016. A
    deterministic network processes the data bottom-up and returns an estimate for each layer. In a
    second pass from the top down, q(z_i | z_{i+1}, x) is the precision-weighted product of this
    estimate and p(z_i | z_{i+1}). The loss is the negative ELBO. Given the sampled layer above,
    each divergence is computed in closed form. With one layer, the model is a VAE.

    Deviations: none. The networks return log variances, so variances are positive.

    Args:
        bottom_up: L networks, layer 1 first. They map examples, or the features from the network
            below, to features for the next network, a mean, and a log variance; the last network
            returns no features.
        top_down: L - 1 networks, layer 1 first. They map the latents of the layer above to the mean
            and log variance of p(z_i | z_{i+1}). Features returned before these two outputs are
            passed down with the latents, which gives p(z_i | all layers above).
        decoder: Network that maps the latents of layer 1 to the likelihood's parameters.
        likelihood: Likelihood p(x|z), a name or an object.
        beta: Weight of the KL divergence, a number or a schedule; `Linear(0.0, 1.0, steps=...)` is
            the paper's warm-up.
        free_bits: Divergence of each layer, in nats, below which the divergence is not minimized; a
            number or a schedule.
        seed: Seed for the noise of the latents.

    Raises:
        ValueError: If the number of networks or their shapes do not match, or if a weight is
            negative.

    Example:
    ```python
    from keras_gen.networks import ladder_networks
    networks = ladder_networks((28, 28, 1), latent_dims=(8, 4), hidden=(32, 16))
    model = LadderVAE(**networks, likelihood="bernoulli")
    model.compile()
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model.fit(digits, batch_size=4)
    codes = model.encode(digits)
    images = model.sample(9, seed=1)
    ```
    """

    @override
    def posterior(self, x, noise):
        """Infers each layer's estimate; returns a function that combines estimates with priors."""
        estimates: list = []
        features: list = [x]
        for network in self.bottom_up:
            features, (estimate,) = heads(network, features, self.training)
            estimates.append(estimate)

        def combined(layer, features, priors):
            estimate = estimates[layer - 1]
            (prior,) = priors
            return [estimate if layer == self.depth else precision_weighted(estimate, prior)]

        return combined


def precision_weighted(a: tuple, b: tuple) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the normalized product of two normal distributions, given as (mean, log variance)."""
    mean_a, log_variance_a = a
    mean_b, log_variance_b = b
    # The fraction of the total precision that is due to `a` is computed as a sigmoid, which cannot
    # overflow.
    logit = log_variance_b - log_variance_a
    mean = tf.sigmoid(logit) * mean_a + tf.sigmoid(-logit) * mean_b
    return mean, log_variance_a + tf.math.log_sigmoid(logit)
