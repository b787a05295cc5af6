"""A mixture of Bernoulli distributions, the baseline of models of binary images."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from scipy.special import logsumexp

from keras_gen.arguments import checked_seed

CERTAIN = 1e-6  # how near a given probability may come to 0 or 1
HELD = 2**25  # numbers of log p(x, k) that are held at once


class BernoulliMixture:
    """A density of binary examples without a network: each is drawn from one of k templates.

    p(x) = sum_k weight_k prod_i Bernoulli(x_i; p_ki), fitted by expectation maximization: Bishop,
    "Pattern Recognition and Machine Learning", 2006, section 9.3.3.

    Args:
        examples: Training examples `[n, ...]` of zeros and ones.
        components: Number of templates, 1 to n.
        iterations: Steps of the fit.
        pseudo_count: Added to each template's number of examples, half of it as white. Without it,
            a pixel that is always black in training would be impossible.
        seed: Seed for the choice of examples that start the templates.

    Example:
        >>> mixture = BernoulliMixture(train, components=500)
        >>> -mixture.log_prob(test).mean()  # nats per example
    """

    def __init__(
        self,
        examples: np.ndarray,
        components: int = 500,
        iterations: int = 30,
        pseudo_count: float = 0.1,
        seed: int = 0,
    ):
        x = self._flat(examples)
        if not 1 <= components <= len(x) or iterations < 1 or pseudo_count <= 0:
            raise ValueError(
                f"BernoulliMixture found components={components}, iterations={iterations} and "
                f"pseudo_count={pseudo_count} for {len(x)} examples: expected 1 to {len(x)} "
                "components, 1 iteration or more and a positive count."
            )
        start = np.random.default_rng(checked_seed(seed)).choice(
            len(x), components, replace=False
        )
        self.weights = np.full(components, 1 / components, np.float32)
        self.probabilities = 0.5 * x[start] + 0.25
        for _ in range(iterations):
            # E step, eq. (9.56); M step, eqs. (9.57) to (9.60).
            joint = self._joint()(x)
            responsibilities = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
            counts = responsibilities.sum(axis=0)
            white = responsibilities.T @ x + pseudo_count / 2
            self.probabilities = white / (counts[:, None] + pseudo_count)
            self.weights = (counts + pseudo_count) / (counts + pseudo_count).sum()

    @classmethod
    def of_best_size(
        cls, examples: np.ndarray, sizes: Iterable[int], seed: int = 0
    ) -> BernoulliMixture:
        """Fits mixtures of several sizes and returns the best one on held-out examples.

        Args:
            examples: Training examples `[n, ...]`; the last sixth is held out.
            sizes: Numbers of templates to try.
            seed: Seed of each fit.

        Example: `BernoulliMixture.of_best_size(train, sizes=(100, 300, 1000))`.
        """
        known, held_out = np.split(examples, [len(examples) * 5 // 6])
        mixtures = [cls(known, size, seed=seed) for size in sizes]
        return max(mixtures, key=lambda mixture: mixture.log_prob(held_out).mean())

    @classmethod
    def of(cls, probabilities: np.ndarray, weights: np.ndarray) -> BernoulliMixture:
        """Returns the mixture of given templates, without a fit.

        Args:
            probabilities: Probabilities of white pixels, `[components, ...]`, clipped to [1e-6, 1 -
                1e-6].
            weights: Positive `[components]`, proportional to the templates' probabilities.

        Example: `BernoulliMixture.of(decoded, np.ones(len(decoded))).log_prob(test)`.
        """
        if len(probabilities) != len(weights) or not np.min(weights, initial=1) > 0:
            raise ValueError(
                f"BernoulliMixture found {len(probabilities)} templates and {len(weights)} weights "
                f"from {np.min(weights, initial=1):g}: expected a positive one for each."
            )
        mixture = cls.__new__(cls)
        mixture.weights = (weights / np.sum(weights)).astype("float32")
        flat = np.reshape(probabilities, [len(probabilities), -1]).astype("float32")
        mixture.probabilities = np.clip(flat, CERTAIN, 1 - CERTAIN)
        return mixture

    def log_prob(self, examples: np.ndarray) -> np.ndarray:
        """Returns log p(x) of examples of zeros and ones, float32 `[n]`, in nats."""
        x = self._flat(examples)
        joint = self._joint()
        rows = max(1, HELD // len(self.weights))
        parts = [logsumexp(joint(x[i : i + rows]), axis=1) for i in range(0, len(x), rows)]
        return np.concatenate(parts)

    def _joint(self) -> Callable:
        """Returns a function from flat examples to log p(x, k), float32 `[n, components]`."""
        black = np.log1p(-self.probabilities)
        log_odds = (np.log(self.probabilities) - black).T
        constant = black.sum(axis=1)
        return lambda x: x @ log_odds + constant + np.log(self.weights)

    @staticmethod
    def _flat(examples: np.ndarray) -> np.ndarray:
        x = np.asarray(examples, np.float32).reshape(len(examples), -1)
        if x.size == 0 or not np.isin(x, (0, 1)).all():
            found = f"values from {x.min():g} to {x.max():g}" if x.size else "none"
            raise ValueError(
                f"BernoulliMixture found {found}: expected zeros and ones; binarize the examples."
            )
        return x
