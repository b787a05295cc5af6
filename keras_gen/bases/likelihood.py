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

    A subclass infers latents (`infer`) and names the terms of its loss (`loss_terms`) and their
    weights (`loss_weights`). State that training moves besides the weights, such as a codebook, is
    moved in `after_update`. A model of examples that depend on something, p(x | given), names that
    in `given`: it is part of the batch, and `score` takes it too.

    Args:
        seed: Seed of the noise.
        **kwargs: `name` and the like, of `keras.Model`.
    """

    # Methods to define -----------------------------------------------------------------------

    def infer(self, x, training: bool, **batch) -> Inferred:
        """Returns what is inferred of a batch, once for all terms.

        Args:
            x: Examples, as their edge prepares them.
            training: Whether this is a training step.
            **batch: What else `fit` is given, by the names in the class's `batch`.
        """
        return Inferred()

    def loss_terms(self, x, inferred: Inferred, training: bool, **batch) -> dict:
        """Returns the terms of the loss, `[batch]` each in nats, named as in `loss_weights`."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it minimizes.")

    def after_update(self, x, inferred: Inferred, **batch) -> None:
        """Changes state that follows the data, such as codebooks: after each finite update."""

    def nats(self, x, **given) -> tf.Tensor:
        """Returns how badly each example is modeled, `[batch]`: the loss in inference mode."""
        terms, _ = self.terms({"x": x, **given})
        return self.weighted(terms, training=False)

    # Training --------------------------------------------------------------------------------

    def terms(self, batch: dict, training: bool = False) -> tuple[dict, Inferred]:
        """Returns the terms of the loss of a batch that went through its edges, `[batch]` each.

        Beside them it returns what was inferred.

        Raises:
            ValueError: If they are others than `loss_weights` names.
        """
        inferred = self.infer(**batch, training=training)
        terms = self.loss_terms(**batch, inferred=inferred, training=training)
        if terms.keys() != self.loss_weights().keys():
            raise ValueError(
                f"{type(self).__name__}.loss_terms returns {sorted(terms)} and loss_weights names "
                f"{sorted(self.loss_weights())}: they must agree."
            )
        return terms, inferred

    @override
    def train_step(self, data):
        """Takes one step on the weighted sum of the terms."""
        loss, terms, _ = self.update(self.prepare_batch(data))
        return self.report(terms, loss=loss)

    def update(self, batch: dict) -> tuple:
        """Takes the step of `optimizer` on a batch that went through its edges.

        Returns:
            The loss `[batch]`, its terms and what was inferred, all from before the step.
        """

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
        """Returns the loss of held-out examples and its terms."""
        terms, _ = self.terms(self.prepare_batch(data))
        loss = self.weighted(terms, training=False)
        return self.report(terms, training=False, loss=loss)

    # Use -------------------------------------------------------------------------------------

    def score_seed(self) -> tf.Tensor:
        """Returns the seed of noise by which `nats` is estimated, the same each time."""
        return stateless_seed(self.seed, 0, "score")

    @capability
    def score(self, x, **given):
        """Returns how badly each example is modeled: high for what is unlike the training data.

        Args:
            x: Examples `[n, ...]`, as their edge takes them.
            **given: What they depend on, by the names in the class's `given`.
            batch_size: Examples at once.

        Returns:
            Float32 `[n]`, nats.
        """
        return {"scores": self.nats(x, **given)}

    def threshold(self, x, quantile: float = 0.99, **given) -> float:
        """Returns the score that the fraction `quantile` of normal, held-out examples stays below.

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
def log_prob(self, x, **given):  # noqa: D417
    """Returns log p(x), or the bound on it that the class states.

    Args:
        x: Examples `[n, ...]`, as their edge takes them.
        **given: What they depend on, by the names in the class's `given`.
        batch_size: Examples at once.

    Returns:
        Float32 `[n]`, nats.
    """
    # Of models whose `nats` is -log p(x), or bounds it: they have this as their method.
    return {"log_probs": -self.nats(x, **given)}


def edge_of(likelihood: Likelihood, shape: tuple) -> Edge:
    """Returns the edge of data that a likelihood is of: discrete if it has levels."""
    if likelihood.levels:
        return Levels(tuple(shape), likelihood.levels)
    if likelihood.range == (-math.inf, math.inf):
        return Vectors(tuple(shape), "vectors")
    return Images(tuple(shape), *likelihood.range)
