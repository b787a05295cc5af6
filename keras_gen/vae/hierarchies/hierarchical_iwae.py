"""The importance-weighted autoencoder of several layers (Burda, Grosse, Salakhutdinov 2016)."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.losses.likelihood_bounds import importance_weighted_nats
from keras_gen.vae.hierarchies.hierarchy import HierarchicalVAE, heads, reparameterized


@keras.saving.register_keras_serializable("keras_gen")
class HierarchicalIWAE(HierarchicalVAE):
    """An IWAE with L layers of latents, inferred from the bottom up.

    Burda, Grosse, Salakhutdinov: "Importance Weighted Autoencoders", ICLR 2016, sec. 2:

        q(z | x) = q(z_1 | x) q(z_2 | z_1) ...,  p(x, z) = p(z_L) ... p(z_1 | z_2) p(x | z_1).

    The loss is the negative of eq. (8), in nats per example, with one weight for draws of all
    layers. `elbo` is reported too; `score` and `log_prob` are the bound of k samples. With one
    layer it is an `IWAE`. Deviations: none.

    Args:
        bottom_up: L networks, layer 1 first: examples, or the latents of the layer below, to mean
            and log variance of q(z_i | z_{i-1}).
        top_down: L - 1 networks, layer 1 first: the latents of the layer above to mean and log
            variance of p(z_i | z_{i+1}).
        decoder: Latents of layer 1 to the likelihood's parameters.
        likelihood: Name or object: p(x|z).
        samples: k. A step runs every network on k times the batch.
        seed: Seed of the latents' noise.

    Raises:
        ValueError: If number or shapes of the networks do not fit, or `samples` is below 1.

    Example:
    ```python
    from keras_gen.networks import iwae_networks
    networks = iwae_networks((28, 28, 1), latent_dims=(8, 4), hidden=(32, 16))
    model = HierarchicalIWAE(**networks, samples=5)
    model.compile()
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model.fit(digits, batch_size=4)
    nats = -model.log_prob(digits)
    ```
    """

    def __init__(
        self, bottom_up, top_down, decoder, likelihood="bernoulli", samples: int = 5, seed=0,
        **kwargs,
    ):  # fmt: skip
        super().__init__(seed=seed, **kwargs)
        if samples < 1:
            raise ValueError(f"samples is {samples}: the bound needs at least 1.")
        self.samples = samples
        self.set_layers(decoder, likelihood, bottom_up, top_down=top_down)

    @override
    def posterior(self, x, noise):
        parts = self.split(noise)
        latents = x
        found: list = []
        for network, (name,) in zip(self.bottom_up, self.layout, strict=True):
            _, (q,) = heads(network, [latents], self.training)
            found.append(q)
            # The way down draws it anew, of the same noise.
            latents = reparameterized(q, parts[name], name)
        return lambda layer, features, priors: [found[layer - 1]]

    @override
    def loss_weights(self):
        return {"bound": 1.0, "elbo": None}

    @override
    def terms(self, batch):
        log_weights = self.log_weights(batch["x"], self.samples, self.stateless_seed("latents"))
        elbo = tf.reduce_mean(log_weights, axis=0)
        return {"bound": importance_weighted_nats(log_weights), "elbo": elbo}

    @override
    def nats(self, x):
        return importance_weighted_nats(self.log_weights(x, self.samples, self.score_seeds(x)))
