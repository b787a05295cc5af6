"""Mixtures of factor analyzers, fitted to vectors."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp
from sklearn.cluster import MiniBatchKMeans

from keras_gen.arguments import checked_seed

_PULLED = 1e-4  # minimum responsibility with which a vector counts for a component
_LEAST = 1e-6  # minimum noise variance, as a fraction of the variance of all vectors


class FactorMixture:
    """A Gaussian mixture with low-rank covariances plus diagonal noise shared by all components.

    The covariance of component k is W_k W_k^T + diag(noise), where W_k has `rank` columns
    (Ghahramani, Hinton: "The EM Algorithm for Mixtures of Factor Analyzers", 1996). Because this
    requires far fewer parameters than full covariances, a mixture can have many components.

    Args:
        vectors: Training vectors `[n, d]`.
        components: Number of components.
        rank: Number of factors of each component.
        iterations: Number of EM steps.
        seed: Seed for k-means, which initializes the components.

    Example: `nats = -FactorMixture(train, 120).log_prob(test)`.
    """

    def __init__(
        self,
        vectors: np.ndarray,
        components: int = 120,
        rank: int = 2,
        iterations: int = 20,
        seed: int = 0,
    ):
        search = MiniBatchKMeans(components, n_init=1, random_state=checked_seed(seed))
        share = np.eye(components)[search.fit_predict(vectors)]
        self.noise: np.ndarray = vectors.var(axis=0)
        least = _LEAST * self.noise
        self.factors = np.zeros([components, vectors.shape[1], rank])
        for iteration in range(iterations + 1):
            if iteration:
                joint = self._joint(vectors)
                share = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
            self.weights = (share.sum(axis=0) + 1) / (len(vectors) + components)
            moments = [_moments(vectors, each) for each in share.T]
            self.means = np.stack([mean for mean, _ in moments])
            covariances = np.stack([covariance for _, covariance in moments])
            if iteration == 0:
                values, directions = np.linalg.eigh(covariances)
                rest = values[:, :-rank].mean(axis=1)[:, None]
                lengths = np.sqrt(np.maximum(values[:, -rank:] - rest, 0))
                self.factors = directions[..., -rank:] * lengths[:, None]
                explained = self.factors @ self.factors.mT
            else:
                # Eqs. (15) and (16) for the moments of each component.
                inverse = np.linalg.inv(self.factors @ self.factors.mT + np.diag(self.noise))
                beta = self.factors.mT @ inverse
                products = covariances @ beta.mT
                second = np.eye(rank) - beta @ self.factors + beta @ products
                self.factors = products @ np.linalg.inv(second)
                explained = self.factors @ products.mT
            noise = np.diagonal(covariances - explained, axis1=1, axis2=2)
            self.noise = np.maximum(self.weights @ noise, least)

    def log_prob(self, vectors: np.ndarray) -> np.ndarray:
        """Returns log p(x) in nats, float64 `[n]`, for vectors `[n, d]`."""
        return logsumexp(self._joint(vectors), axis=1)

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """Returns samples, float64 `[n, d]`."""
        rng = np.random.default_rng(checked_seed(seed))
        chosen = rng.choice(len(self.weights), n, p=self.weights)
        factors = rng.normal(size=(n, self.factors.shape[-1], 1))
        noise = rng.normal(size=(n, len(self.noise))) * np.sqrt(self.noise)
        return self.means[chosen] + (self.factors[chosen] @ factors)[..., 0] + noise

    def _joint(self, vectors):
        """Returns log p(x, k), `[n, components]`; inverts only matrices of size `rank`."""
        scaled = self.factors / self.noise[:, None]
        inner = np.eye(self.factors.shape[-1]) + self.factors.mT @ scaled
        # The columns of `projections` map a vector to its part that the factors explain.
        projections = scaled @ np.linalg.cholesky(np.linalg.inv(inner))
        squares = (
            (vectors**2 / self.noise).sum(axis=1, keepdims=True)
            - 2 * vectors @ (self.means / self.noise).T
            + (self.means**2 / self.noise).sum(axis=1)
        )
        for factor in np.moveaxis(projections, -1, 0):
            squares -= (vectors @ factor.T - (self.means * factor).sum(axis=1)) ** 2
        volumes = np.linalg.slogdet(inner)[1] + np.log(2 * np.pi * self.noise).sum()
        return np.log(self.weights) - 0.5 * (volumes + squares)


def _moments(vectors, share):
    """Returns the mean and the covariance of the vectors, weighted by `share`."""
    near = share > _PULLED
    if not near.any():
        near[share.argmax()] = True
    rows = vectors[near]
    weights = share[near, None] / share[near].sum()
    mean = (weights * rows).sum(axis=0)
    return mean, (weights * (rows - mean)).T @ (rows - mean)
