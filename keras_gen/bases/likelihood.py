"""One optimizer that minimizes terms in nats: autoencoders, VAEs, autoregressive models, flows."""

import math
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gen.bases.capabilities import Capable, Sampler, capability
from keras_gen.bases.edges import Edge, Images, Levels, Vectors
from keras_gen.losses.likelihoods import Likelihood
from keras_gen.training import GenerativeModel, minimize, stateless_seed


class Inferred(NamedTuple):
    """What a model infers of a batch.

    Attributes:
        latents: Latents `[batch, ...]`, or a structure of such.
        parameters: Those of the latents' distribution, and whatever else the terms of the loss or
            `after_update` need.
    """

    latents: Any = ()
    parameters: Any = ()


class LikelihoodModel(Capable, GenerativeModel):
    """Base of models of which one optimizer minimizes a weighted sum of terms in nats.

    A subclass infers latents (`infer`), says what it loses (`loss_terms`) and what each term counts
    (`loss_weights`). State that training moves besides the weights is moved in `after_update`,
    which comes only after a finite step. Terms may be reported and not minimized: their weight is
    None.

    Args:
        seed: Seed of the noise.
        **kwargs: `name` and the like, of `keras.Model`.
    """

    def compile(self, optimizer="adam", **kwargs):
        """Compiles with one optimizer for all networks.

        Args:
            optimizer: A `keras.optimizers.Optimizer` or its name.
            **kwargs: `run_eagerly`, `jit_compile`, `steps_per_execution`.
        """
        super().compile(optimizer=optimizer, **kwargs)

    # Hooks -----------------------------------------------------------------------------------

    def infer(self, x, training: bool, **batch) -> Inferred:
        """Returns what is inferred of a batch, once for all terms.

        Args:
            x: Examples, as their edge prepares them.
            training: Whether this is a training step.
            **batch: What `fit` is given besides, by the names in the class's `batch`.
        """
        return Inferred()

    def loss_terms(self, x, inferred: Inferred, training: bool, **batch) -> dict:
        """Returns the terms of the loss, `[batch]` each in nats, named as in `loss_weights`."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it minimizes.")

    def after_update(self, x, inferred: Inferred, **batch) -> None:
        """Changes state that follows the data, such as codebooks: after each finite update."""

    def nats(self, x) -> tf.Tensor:
        """Returns how badly each example is modeled, `[batch]`: the loss in inference mode."""
        return self.weighted(self.terms({"x": x}), training=False)

    # Training --------------------------------------------------------------------------------

    def terms(self, batch: dict, training: bool = False) -> dict:
        """Returns the terms of the loss of a batch that went through its edges, `[batch]` each."""
        return self._inferred_terms(batch, training)[0]

    def train_step(self, data):
        """Takes one step on the weighted sum of the terms."""
        losses, _ = self.update(self.prepare_batch(data))
        return self.report(**losses)

    def update(self, batch: dict) -> tuple[dict, Inferred]:
        """Takes the step of `optimizer` on a batch that went through its edges.

        Returns:
            The loss and its terms as they are reported, and what was inferred, all of them from
            before the step.
        """

        def total_loss():
            terms, inferred = self._inferred_terms(batch, training=True)
            return self.weighted(terms, training=True), terms, inferred

        networks = self.optimizers()["optimizer"]
        loss, terms, inferred = minimize(total_loss, self.optimizer, *networks)
        with tf.control_dependencies([loss]):
            self.after_update(inferred=inferred, **batch)
        return dict(loss=loss, **self.named(terms)), inferred

    def test_step(self, data):
        """Returns the loss of held-out examples and its terms."""
        terms = self.terms(self.prepare_batch(data))
        loss = self.weighted(terms, training=False)
        return self.report(training=False, loss=loss, **self.named(terms))

    def _inferred_terms(self, batch, training):
        inferred = self.infer(**batch, training=training)
        terms = self.loss_terms(**batch, inferred=inferred, training=training)
        if terms.keys() != self.loss_weights().keys():
            raise ValueError(
                f"{type(self).__name__}.loss_terms returns {sorted(terms)} and loss_weights names "
                f"{sorted(self.loss_weights())}: they must agree."
            )
        return terms, inferred

    # Use -------------------------------------------------------------------------------------

    @capability
    def score(self, x):
        """Returns how badly each example is modeled: high for what is unlike the training data.

        Args:
            x: Examples `[n, ...]`, as their edge takes them.
            batch_size: Examples at once.

        Returns:
            Float32 `[n]`, nats.
        """
        return {"scores": self.nats(x)}

    def threshold(self, x, quantile: float = 0.99) -> float:
        """Returns the score that the fraction `quantile` of normal, held-out examples stays below.

        Args:
            x: Normal examples that were not trained on, as `score` takes them.
            quantile: Between 0 and 1; 1 - `quantile` is the rate of false alarms.

        Example: `anomalies = model.score(images) > model.threshold(normal_images)`.
        """
        if not 0 <= quantile <= 1:
            raise ValueError(f"quantile is {quantile}: it must lie between 0 and 1.")
        return float(np.quantile(self.score(x), quantile))


class DensityModel(Sampler, LikelihoodModel):
    """Base of likelihood models that are a density of the data, or bound one: `log_prob`, `sample`.

    `nats` is -log p(x), or the bound on it that the class states.
    """

    default_signature = "sample"

    @capability
    def log_prob(self, x):
        """Returns log p(x), or the bound on it that the class states.

        Args:
            x: Examples `[n, ...]`, as their edge takes them.
            batch_size: Examples at once.

        Returns:
            Float32 `[n]`, nats.
        """
        return {"log_probs": -self.nats(x)}

    def score_seed(self) -> tf.Tensor:
        """Returns the seed of the noise that `nats` is estimated by, the same each time."""
        return stateless_seed(self.seed, 0, "score")


def edge_of(likelihood: Likelihood, shape: tuple) -> Edge:
    """Returns the edge of data that a likelihood is of: discrete if it has levels."""
    if likelihood.levels:
        return Levels(tuple(shape), likelihood.levels)
    if likelihood.range == (-math.inf, math.inf):
        return Vectors(tuple(shape), "vectors")
    return Images(tuple(shape), *likelihood.range)
