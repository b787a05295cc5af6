"""A mixture of normal distributions as the prior of a VAE, fitted to its latents."""

import warnings

import numpy as np
import tensorflow as tf
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from typing_extensions import override

from keras_gen.arguments import checked_array, checked_seed
from keras_gen.declared import Count, DeclaredLayer
from keras_gen.losses.likelihoods.cells import drawn_outcome


class MixturePrior(DeclaredLayer):
    """A prior for latents: a standard normal distribution before `fit`, then a Gaussian mixture.

    Ghosh, Sajjadi, Vergari, Black, Schölkopf: "From Variational to Deterministic Autoencoders",
    ICLR 2020, sec. 4: after training, a mixture of normal distributions with full covariances is
    fitted to the latents of the training examples. These latents do not follow the standard normal
    prior.

    Args:
        latent_dim: Number of latents.
        components: Number of normal distributions in the mixture.
    """

    options = {"trainable": False, "dtype": "float32", "autocast": False}

    latent_dim: Count
    components: Count = 20

    @override
    def set_up(self):
        count = self.components
        size = self.latent_dim
        self.log_shares = self.add_weight(name="log_shares", shape=(count,), initializer="zeros")
        self.means = self.add_weight(name="means", shape=(count, size), initializer="zeros")
        # Matrices that map centered latents to standard normal latents, and the log-determinants of
        # these matrices.
        self.whitening = self.add_weight(
            name="whitening",
            shape=(count, size, size),
            initializer=lambda shape, dtype: tf.eye(size, batch_shape=[count], dtype=dtype),
        )
        self.log_determinants = self.add_weight(
            name="log_determinants", shape=(count,), initializer="zeros"
        )
        self.built = True

    def log_ratio(self, latents: tf.Tensor) -> tf.Tensor:
        """Returns log p(z) - log N(z; 0, 1) of latents `[..., latent_dim]`, `[...]`, in nats."""
        centered = latents[..., None, :] - self.means
        white = tf.einsum("...ki,kij->...kj", centered, self.whitening)
        log_shares = tf.nn.log_softmax(self.log_shares) + self.log_determinants
        log_parts = log_shares - 0.5 * tf.reduce_sum(tf.square(white), axis=-1)
        squares = 0.5 * tf.reduce_sum(tf.square(latents), axis=-1)
        return tf.reduce_logsumexp(log_parts, axis=-1) + squares

    def latents(self, normal: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Returns samples for normal noise `[n, latent_dim]` and uniform noise `[n, 1]`."""
        component = drawn_outcome(self.log_shares[None], uniform)
        whitening = tf.gather(self.whitening, component)
        solved = tf.linalg.triangular_solve(
            whitening, normal[..., None], lower=False, adjoint=True
        )
        return tf.gather(self.means, component) + solved[..., 0]

    def fit(self, latents: np.ndarray, seed: int = 0) -> None:
        """Fits the mixture to latents `[n, latent_dim]`, at least one per component, by EM.

        Raises:
            ValueError: If there are fewer latents than components, or if a latent is not finite.
        """
        latents = checked_array("latents", latents, np.float32)
        if len(latents) < self.components or not np.isfinite(latents).all():
            raise ValueError(
                f"The prior has {self.components} components for {len(latents)} rows, "
                f"{(~np.isfinite(latents).all(axis=1)).sum()} of which contain latents that are "
                "not finite: expected finite latents, and at least as many rows as components."
            )
        mixture = GaussianMixture(
            self.components, reg_covar=1e-3, random_state=checked_seed(seed)
        )
        with warnings.catch_warnings():
            # More iterations change the density only slightly.
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture.fit(latents)
        whitening = mixture.precisions_cholesky_
        diagonals = np.diagonal(whitening, axis1=1, axis2=2)
        self.log_shares.assign(np.log(np.maximum(mixture.weights_, 1e-30)))
        self.means.assign(mixture.means_)
        self.whitening.assign(whitening)
        self.log_determinants.assign(np.log(diagonals).sum(axis=1))
