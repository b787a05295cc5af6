"""The DIP-VAE, types I and II (Kumar, Sattigeri, Balakrishnan 2018)."""

from typing import Literal

import keras
from typing_extensions import override

from keras_gen.core.schedules import Weight
from keras_gen.declared import fixed
from keras_gen.losses import dip_penalties
from keras_gen.vae.vae import VAE

# Ratio of lambda_d to lambda_od in the paper's experiments, for each type of DIP-VAE.
RATIOS = {"I": 10.0, "II": 1.0}


@keras.saving.register_keras_serializable("keras_gen")
class DIPVAE(VAE):
    """A VAE that pulls the covariance of its latents toward the identity matrix.

    Kumar, Sattigeri, Balakrishnan: "Variational Inference of Disentangled Latent Concepts from
    Unlabeled Observations", ICLR 2018. The loss is the negative of eq. (6) for type I, which is
    based on the covariance of the means, or of eq. (7) for type II, which is based on the
    covariance of the latents: `loss = reconstruction_loss + kl_loss + off_diagonal_weight *
    off_diagonal_loss + diagonal_weight * diagonal_loss`. Covariances are computed over the global
    batch. `elbo` is also reported. Deviations: none.

    Args:
        encoder: Network that maps examples to the mean and log variance of q(z|x), each
            `[batch, latents]`.
        decoder: Network that maps latents `[batch, latents]` to the likelihood's parameters.
        likelihood: Likelihood p(x|z), a name or an object.
        type: Type of DIP-VAE, "I" or "II".
        off_diagonal_weight: Weight of the off-diagonal loss, lambda_od, a number or a schedule. The
            paper uses 1 to 500.
        diagonal_weight: Weight of the diagonal loss, lambda_d, a number or a schedule. If None, the
            weight is 10 lambda_od for type I and lambda_od for type II.
        seed: Seed for the noise of the latents.

    Raises:
        ValueError: If the networks do not match, if the type is unknown, or if a weight is
            negative.

    Example:
    ```python
    model = DIPVAE.for_images((28, 28, 1), latent_dim=10, type="I")
    model.compile()
    model.fit(np.zeros((8, 28, 28, 1), "uint8"), batch_size=4)
    ```
    """

    beta: Weight = fixed(1.0)
    type: Literal["I", "II"] = "II"
    off_diagonal_weight: Weight = 10.0
    diagonal_weight: Weight | None = None

    @override
    def terms(self, batch):
        x = batch["x"]
        _, (mean, log_variance) = inferred = self.inferred(x)
        terms = self.elbo_terms(x, inferred)
        penalties = dip_penalties(mean, log_variance if self.type == "II" else None)
        return terms | penalties | {"elbo": -terms["reconstruction"] - terms["kl"]}

    @override
    def loss_weights(self):
        weight = self.off_diagonal_weight
        diagonal = self.diagonal_weight
        diagonal = (RATIOS[self.type], weight) if diagonal is None else diagonal
        penalties = {"off_diagonal": weight, "diagonal": diagonal}
        return {"reconstruction": 1.0, "kl": 1.0, **penalties, "elbo": None}
