"""The beta-TCVAE (Chen, Li, Grosse, Duvenaud 2018)."""

import keras
from typing_extensions import override

from keras_gen.core.schedules import Weight
from keras_gen.declared import PositiveInteger, argument
from keras_gen.losses import decomposed_kl
from keras_gen.vae.vae import VAE


@keras.saving.register_keras_serializable("keras_gen")
class BetaTCVAE(VAE):
    """A VAE with separate weights for the three terms of the KL divergence.

    Chen, Li, Grosse, Duvenaud: "Isolating Sources of Disentanglement in Variational Autoencoders",
    NeurIPS 2018. The loss is the negative of eq. (4), in nats per example: `loss =
    reconstruction_loss + alpha * mutual_information_loss + beta * total_correlation_loss + gamma *
    dimension_kl_loss`. The terms are estimated from the global batch (see `decomposed_kl`). Larger
    batches yield better estimates; the paper uses batches of 2,048 examples. `elbo`, with the KL
    divergence in closed form, is also reported.

    Deviations: the stratified weights are uniform; see `decomposed_kl`.

    Args:
        encoder: Network that maps examples to the mean and log variance of q(z|x), each
            `[batch, latents]`.
        decoder: Network that maps latents `[batch, latents]` to the likelihood's parameters.
        dataset_size: Number of training examples, N.
        likelihood: Likelihood p(x|z), a name or an object.
        beta: Weight of the total correlation of the latents, a number or a schedule.
        alpha: Weight of the mutual information of latents and examples, a number or a schedule.
        gamma: Weight of the dimension-wise KL divergence, a number or a schedule.
        stratified: Whether q(z) is estimated by stratified sampling (app. C.2) instead of weighted
            sampling (eq. 3).
        seed: Seed for the noise of the latents.

    Raises:
        ValueError: If the networks do not match, if a weight is negative, or if `dataset_size` is
            below 1 or smaller than the batch.

    Example:
    ```python
    digits = np.zeros((8, 28, 28, 1), "uint8")
    model = BetaTCVAE.for_images((28, 28, 1), latent_dim=10, dataset_size=len(digits))
    model.compile()
    model.fit(digits, batch_size=4)
    ```
    """

    dataset_size: PositiveInteger = argument(kw_only=True)
    beta: Weight = 6.0
    alpha: Weight = 1.0
    gamma: Weight = 1.0
    stratified: bool = False

    @override
    def terms(self, batch):
        x = batch["x"]
        latents, posterior = inferred = self.inferred(x)
        terms = self.elbo_terms(x, inferred)
        elbo = -terms["reconstruction"] - terms.pop("kl")
        parts = decomposed_kl(latents, *posterior, self.dataset_size, self.stratified)
        return terms | parts | {"elbo": elbo}

    @override
    def loss_weights(self):
        parts = {"mutual_information": self.alpha, "total_correlation": self.beta}
        return {"reconstruction": 1.0, **parts, "dimension_kl": self.gamma, "elbo": None}
