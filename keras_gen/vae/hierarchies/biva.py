"""The bidirectional-inference variational autoencoder (Maaløe, Fraccaro, Liévin, Winther 2019)."""

import keras
from typing_extensions import override

from keras_gen.declared import network, networks
from keras_gen.vae.hierarchies.hierarchy import HierarchicalVAE, heads, reparameterized


@keras.saving.register_keras_serializable("keras_gen")
class BIVA(HierarchicalVAE):
    """A VAE with L layers of latents, some of them inferred bottom-up and the others top-down.

    Maaløe, Fraccaro, Liévin, Winther: "BIVA: A Very Deep Hierarchy of Latent Variables for
    Generative Modeling", NeurIPS 2019. A layer i below the top is z_i = (z_i^BU, z_i^TD), named
    `z1_bu`, `z1_td`, and so on in this class; the top layer is z_L alone. All latents are generated
    from the top down, with features that skip layers:

        p(x, z) = p(z_L) prod_i p(z_i^BU | z_{>i}) p(z_i^TD | z_{>i}) p(x | z),
        q(z | x) = q(z_L | x, z_{<L}^BU) prod_i q(z_i^BU | x, z_{<i}^BU)
                                                q(z_i^TD | x, z_{<i}^BU, z_{>i}).

    Inference takes two passes. The first pass is bottom-up and stochastic. The second pass is
    top-down, based on the features of the generative model and of the first pass. The loss is the
    negative ELBO. The divergences of z_i^TD and z_L are in closed form, given the variables on
    which z_i^TD and z_L depend. The divergence of z_i^BU is estimated as log q - log p of a sample,
    because p depends on layers inferred from z_i^BU. The mean of this estimate over a batch may be
    negative.

    Deviations: some divergences are computed in closed form, and free bits are counted per
    variable. With one layer, the model is a VAE.

    Args:
        bottom_up: L networks, layer 1 first. They map examples, or features and z_{i-1}^BU of the
            layer below, to features for the next layer and to the mean and log variance of q(z_i^BU
            | ...). The last network returns the mean and log variance of q(z_L | ...) and no
            features.
        lateral: L - 1 networks, layer 1 first. They map features from the layer's networks in
            `bottom_up` and `top_down` to the mean and log variance of q(z_i^TD | ...).
        top_down: L - 1 networks, layer 1 first. They map the features, z^BU, and z^TD of the layer
            above (or only z_L if this is the top layer, which has no features) to features,
            followed by the mean and log variance of p(z_i^BU | z_{>i}) and of p(z_i^TD | z_{>i}).
        decoder: Network that maps features of layer 1, z_1^BU, and z_1^TD to the likelihood's
            parameters.
        likelihood: Likelihood p(x|z), a name or an object.
        beta: Weight of the KL divergence, a number or a schedule.
        free_bits: Divergence of each variable, in nats, below which the divergence is not
            minimized; a number or a schedule.
        seed: Seed for the noise of the latents.

    Raises:
        ValueError: If the number of networks or their shapes do not match, or if a weight is
            negative.

    Example:
    ```python
    from keras_gen.networks import biva_networks
    model = BIVA(**biva_networks((28, 28, 1), latent_dims=(8, 4, 2), units=32))
    model.compile()
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model.fit(digits, batch_size=4)
    codes = model.encode(digits)
    noise = np.random.default_rng(0).normal(size=codes.shape)
    variants = model.redraw(codes, noise, layers=2)
    nats = -model.log_prob_above(digits, layers=1)
    ```
    """

    parts = ("bu", "td")
    estimated = ("bu",)

    lateral: list[keras.Model] = networks(kw_only=True)
    top_down: list[keras.Model] = networks(later=True)
    decoder: keras.Model = network(later=True)

    @override
    def posterior(self, x, noise):
        """Samples z_1^BU to z_{L-1}^BU bottom-up, and returns a function that infers the rest."""
        parts = self.split(noise)
        upwards: list = []
        features: list = [x]
        latents: list = []
        for upward, names in zip(self.bottom_up, self.layout, strict=True):
            # The distribution is q(z_i^BU | x, z_{<i}^BU), or in the top layer, q(z_L | x,
            # z_{<L}^BU).
            features, (q,) = heads(upward, [*features, *latents], self.training)
            upwards.append((features, q))
            # The top-down pass samples this variable again, with the same noise.
            name = next(iter(names))
            latents = [reparameterized(q, parts[name], name)]

        def downwards(layer, features, priors):
            below, q = upwards[layer - 1]
            if layer == self.depth:
                return [q]
            # The top-down distribution is q(z_i^TD | x, z_{<i}^BU, z_{>i}).
            _, (q_td,) = heads(self.lateral[layer - 1], [*below, *features], self.training)
            return [q, q_td]

        return downwards
