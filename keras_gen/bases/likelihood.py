"""One optimizer that minimizes terms in nats: autoencoders, VAEs, autoregressive models, flows."""

import math
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.bases.edges import Edge, Images, Levels, Vectors
from keras_gen.losses.likelihoods import Likelihood
from keras_gen.training import GenerativeModel, capability, minimize, stateless_seed

SCORE_SAMPLES = 16  # latents per example by which a bound is estimated; of one it would be noisy


class Inferred(NamedTuple):
    """What a model infers of a batch.

    Attributes:
        latents: Latents `[batch, ...]`, or a structure of such.
        parameters: Those of the latents' distribution, and whatever else the terms of the loss or
            `after_update` need.
    """

    latents: Any = ()
    parameters: Any = ()


class LikelihoodModel(GenerativeModel):
    """Base of models in which one optimizer minimizes a weighted sum of terms in nats.

    A subclass infers latents (`infer`), returns the terms of its loss (`loss_terms`) and their
    weights (`loss_weights`), and changes state other than weights, such as a codebook, in
    `after_update`. A model of p(x | given) lists the names of the conditions in `given`: they are
    part of the batch, and `score` takes them too.

    Args:
        seed: Seed of the noise.
        **kwargs: `name` and the like, of `keras.Model`.
    """

    for_users: tuple[str, ...] = ("threshold",)

    # Methods to define -----------------------------------------------------------------------

    def infer(self, x, training: bool, **batch) -> Inferred:
        """Returns what is inferred of a prepared batch, once for all terms."""
        return Inferred()

    def loss_terms(self, x, inferred: Inferred, training: bool, **batch) -> dict:
        """Returns the terms of the loss, `[batch]` each in nats, named as in `loss_weights`."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it minimizes.")

    def after_update(self, x, inferred: Inferred, **batch) -> None:
        """Changes state that follows the data, such as codebooks: after each finite update."""

    def nats(self, x, **given) -> tf.Tensor:
        """Returns the score of each example, `[batch]`: the loss in inference mode."""
        terms, _ = self.terms({"x": x, **given})
        return self.weighted(terms, training=False)

    # Training --------------------------------------------------------------------------------

    def terms(self, batch: dict, training: bool = False) -> tuple[dict, Inferred]:
        """Returns the terms of the loss of a batch, `[batch]` each, and what was inferred.

        Raises:
            ValueError: If `loss_weights` has other names.
        """
        inferred = self.infer(**batch, training=training)
        terms = self.loss_terms(**batch, inferred=inferred, training=training)
        if terms.keys() != self.loss_weights().keys():
            raise ValueError(
                f"{type(self).__name__}.loss_terms returns {sorted(terms)} and "
                f"loss_weights names {sorted(self.loss_weights())}: they must agree."
            )
        return terms, inferred

    @override
    def train_step(self, data):
        loss, terms, _ = self.update(self.prepare_batch(data))
        return self.report(terms, loss=loss)

    def update(self, batch: dict) -> tuple:
        """Takes a step on a prepared batch; returns loss, terms and `Inferred` of before."""

        def total_loss():
            terms, inferred = self.terms(batch, training=True)
            return self.weighted(terms), terms, inferred

        networks = self.networks_of("optimizer")
        loss, terms, inferred = minimize(total_loss, self.optimizer, *networks)
        with tf.control_dependencies([loss]):
            self.after_update(inferred=inferred, **batch)
        return loss, terms, inferred

    @override
    def test_step(self, data):
        terms, _ = self.terms(self.prepare_batch(data))
        loss = self.weighted(terms, training=False)
        return self.report(terms, training=False, loss=loss)

    # Use -------------------------------------------------------------------------------------

    def score_seed(self) -> tf.Tensor:
        """Returns the seed of the noise of `nats`, the same each time."""
        return stateless_seed(self.seed, 0, "score")

    @capability
    def score(self, x, **given):
        """Returns an anomaly score of each example, float32 `[n]`, nats: high for unusual ones.

        A model of p(x | given) takes its conditions too, by the names in the class's `given`.
        """
        return {"scores": self.nats(x, **given)}

    def threshold(self, x, quantile: float = 0.99, **given) -> float:
        """Returns the quantile of the scores of normal, held-out examples.

        Args:
            x: Normal examples that were not trained on, as `score` takes them.
            quantile: Between 0 and 1; 1 - `quantile` is the rate of false alarms.
            **given: As of `score`.

        Example: `anomalies = model.score(images) > model.threshold(normal_images)`.
        """
        if not 0 <= quantile <= 1:
            raise ValueError(f"quantile is {quantile}: it must lie between 0 and 1.")
        return float(np.quantile(self.score(x, **given), quantile))


@capability
def log_prob(self, x, **given):
    """Returns log p(x), or the bound on it that the class states: float32 `[n]`, nats.

    A model of p(x | given) takes its conditions too, by the names in the class's `given`.
    """
    # Of models whose `nats` is -log p(x), or bounds it: they have this as their method.
    return {"log_probs": -self.nats(x, **given)}


def edge_of(likelihood: Likelihood, shape: tuple) -> Edge:
    """Returns the edge of a likelihood's data: discrete if it has levels."""
    if likelihood.levels:
        return Levels(tuple(shape), likelihood.levels)
    if likelihood.range == (-math.inf, math.inf):
        return Vectors(tuple(shape), "vectors")
    return Images(tuple(shape), *likelihood.range)
