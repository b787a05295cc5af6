"""The beta-TCVAE (Chen, Li, Grosse, Duvenaud 2018)."""

import keras
from typing_extensions import override

from keras_gen.losses import decomposed_kl
from keras_gen.training import schedules
from keras_gen.vae.vae import VAE


@keras.saving.register_keras_serializable("keras_gen")
class BetaTCVAE(VAE):
    """A VAE whose KL divergence is taken apart, to weigh the total correlation of the latents.

    Chen, Li, Grosse, Duvenaud: "Isolating Sources of Disentanglement in Variational Autoencoders",
    NeurIPS 2018. The loss is the negative of eq. (4), in nats per example: `loss =
    reconstruction_loss + alpha * mutual_information_loss + beta * total_correlation_loss + gamma *
    dimension_kl_loss`. With all weights 1 it is a VAE's, whose divergence is estimated by one draw.
    `elbo` is reported too, with the divergence in closed form.

    The parts are estimated from the batch, over all replicas: see `decomposed_kl`. The larger the
    batch, the better; the paper's has 2,048 examples.

    Deviations: stratified weights are even, as `decomposed_kl` says.

    Args:
        encoder: Examples to (mean, log variance) of q(z|x), each `[batch, latents]`.
        decoder: Latents `[batch, latents]` to the likelihood's parameters.
        dataset_size: Number of training examples, N.
        likelihood: Name or object: p(x|z).
        beta: Weight of the total correlation, a number or a schedule of the step. The paper
            compares many; 6 is a choice.
        alpha: Weight of the mutual information of latents and examples, likewise.
        gamma: Weight of the divergence of each latent by itself, likewise.
        stratified: Whether q(z) is estimated by minibatch stratified sampling (app. C.2) in place
            of minibatch-weighted sampling (eq. 3).
        seed: Seed of the latents' noise.

    Raises:
        ValueError: If encoder and decoder disagree about the latents, a weight is negative, or
            `dataset_size` is below 1, or in use below the batch.

    Example:
    ```python
    from keras_gen.networks import mlp_decoder, mlp_encoder

    digits = np.zeros((8, 28, 28, 1), "uint8")
    model = BetaTCVAE(
        mlp_encoder(latent_dim=10, heads=("mean", "log_variance")),
        mlp_decoder(latent_dim=10),
        dataset_size=len(digits),
    )
    model.compile()
    model.fit(digits, batch_size=4)
    ```
    """

    def __init__(
        self, encoder, decoder, dataset_size: int, likelihood="bernoulli", beta=6.0, alpha=1.0,
        gamma=1.0, stratified: bool = False, seed=0, **kwargs,
    ):  # fmt: skip
        super().__init__(encoder, decoder, likelihood, beta, seed, **kwargs)
        if dataset_size < 1:
            raise ValueError(
                f"dataset_size is {dataset_size}: expected the number of training examples."
            )
        self.dataset_size = dataset_size
        self.stratified = stratified
        self.alpha = schedules.weight("alpha", alpha)
        self.gamma = schedules.weight("gamma", gamma)

    @override
    def loss_weights(self):
        parts = {"mutual_information": self.alpha, "total_correlation": self.beta}
        return {"reconstruction": 1.0, **parts, "dimension_kl": self.gamma, "elbo": None}

    @override
    def loss_terms(self, x, inferred, training):
        """Returns the terms of eq. (4), and the ELBO: `[batch]`, nats."""
        terms = super().loss_terms(x, inferred, training)
        elbo = -terms["reconstruction"] - terms.pop("kl")
        latents, posterior = inferred
        parts = decomposed_kl(latents, *posterior, self.dataset_size, self.stratified)
        return terms | parts | {"elbo": elbo}
