"""The beta-TCVAE (Chen, Li, Grosse, Duvenaud 2018)."""

import keras
from typing_extensions import override

from keras_gen.core.schedules import Weight
from keras_gen.declared import PositiveInteger, argument
from keras_gen.losses import decomposed_kl
from keras_gen.vae.vae import VAE


@keras.saving.register_keras_serializable("keras_gen")
class BetaTCVAE(VAE):
    """A VAE whose KL divergence is split in three, to weigh the total correlation of the latents.

    Chen, Li, Grosse, Duvenaud: "Isolating Sources of Disentanglement in Variational Autoencoders",
    NeurIPS 2018. The loss is the negative of eq. (4), in nats per example: `loss =
    reconstruction_loss + alpha * mutual_information_loss + beta * total_correlation_loss + gamma *
    dimension_kl_loss`. The parts are estimated from the global batch (`decomposed_kl`): larger
    batches are better, and the paper's has 2,048 examples. `elbo` is reported with the divergence
    in closed form.

    Deviations: stratified weights are even, as `decomposed_kl` says.

    Args:
        encoder: Examples to (mean, log variance) of q(z|x), each `[batch, latents]`.
        decoder: Latents `[batch, latents]` to the likelihood's parameters.
        dataset_size: Number of training examples, N.
        likelihood: Name or object: p(x|z).
        beta: Weight of the total correlation, a number or a schedule of the step.
        alpha: Weight of the mutual information of latents and examples, likewise.
        gamma: Weight of the divergence of each latent by itself, likewise.
        stratified: Estimates q(z) by stratified sampling (app. C.2) and not by weighted (eq. 3).
        seed: Seed of the latents' noise.

    Raises:
        ValueError: If the networks do not fit, a weight is negative, or `dataset_size` is below 1
            or the batch.

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
