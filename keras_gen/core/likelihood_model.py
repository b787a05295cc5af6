"""The base class of models that minimize terms in nats, such as VAEs, flows, and PixelCNN."""

import math

import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_number
from keras_gen.core.capabilities import capability, for_users
from keras_gen.core.kinds_of_data import Counts, Edge, Images, Levels, Vectors
from keras_gen.core.model import GenerativeModel
from keras_gen.core.network_checks import require_logits, require_range
from keras_gen.core.noise import example_seeds, stateless_seed

SCORE_SAMPLES = 16  # latents per estimate of a bound; an estimate from one latent would be noisy


class LikelihoodModel(GenerativeModel):
    """Base class for models in which one optimizer minimizes a weighted sum of terms in nats.

    A subclass defines the terms of its loss (`terms`) and their weights (`loss_weights`). A model
    of p(x | given) lists the names of its conditions in `given`. The conditions are part of each
    batch, and `score` also accepts conditions.

    Args:
        seed: Seed for the noise.
        **kwargs: Arguments of `keras.Model`, such as `name`.
    """

    @override
    def weighted(self, terms):
        expected = self.loss_weights().keys()
        if terms.keys() != expected:
            raise ValueError(
                f"{type(self).__name__}.terms returns {sorted(terms)}, but loss_weights contains "
                f"{sorted(expected)}: expected the same names in both."
            )
        return super().weighted(terms)

    def nats(self, x, **given) -> tf.Tensor:
        """Returns the score of each example, which is its loss in inference mode, `[batch]`."""
        return self.weighted(self.terms({"x": x, **given}))

    # Use -------------------------------------------------------------------------------------

    def score_seeds(self, x, use: str = "score") -> tf.Tensor:
        """Returns the seeds for the noise of `nats`, int64 `[batch, 2]`, which depend only on x.

        The score of an example is therefore the same in every call and for any batch size.
        """
        return example_seeds(x, stateless_seed(self.seed, 0, use))

    @capability
    def score(self, x, **given):
        """Returns anomaly scores in nats, float32 `[n]`; examples with high scores are unusual.

        A model of p(x | given) also accepts its conditions, as keyword arguments with the names in
        the class's `given`.
        """
        return {"scores": self.nats(x, **given)}

    @for_users
    def threshold(self, x, quantile: float = 0.99, **given) -> float:
        """Returns an anomaly threshold: a quantile of the scores of normal, held-out examples.

        Args:
            x: Normal examples that were not used for training, in a format that `score` accepts.
            quantile: Quantile, between 0 and 1; 1 - `quantile` is the false-positive rate.
            **given: Conditions; see `score`.

        Example: `anomalies = model.score(images) > model.threshold(normal_images)`.
        """
        quantile = checked_number("quantile", quantile, 0, 1)
        return float(np.quantile(self.score(x, **given), quantile))


@capability
def log_prob(self, x: tf.Tensor, **given):
    """Returns log p(x), or the bound that the class documents, in nats, float32 `[n]`.

    A model of p(x | given) also accepts its conditions, as keyword arguments with the names in the
    class's `given`.
    """
    # This function is a method of models whose `nats` is -log p(x) or a bound on it.
    return {"log_probs": -self.nats(x, **given)}


def require_parameters(network, likelihood, shape: tuple | None = None) -> None:
    """Raises a ValueError unless a network can return the parameters of a likelihood.

    Args:
        network: Network whose last activation must allow all values of the parameters.
        likelihood: Likelihood of the values.
        shape: Shape of the values, or None if it follows from the network's output.
    """
    found = tuple(network.outputs[0].shape[1:])
    needed = likelihood.params_per_value
    if shape is not None and found != (*shape[:-1], shape[-1] * needed):
        raise ValueError(
            f"The network returns {found} for values of shape {shape}: expected {needed} "
            f"parameters of {likelihood} per value."
        )
    if likelihood.logits:
        require_logits(network)
    require_range(likelihood.parameter_range, f"parameters of {likelihood}", network)


def edge_of(likelihood, shape: tuple) -> Edge:
    """Returns the edge for the data of a `Likelihood`: discrete if it has levels."""
    if likelihood.levels:
        return Levels(tuple(shape), likelihood.levels)
    if likelihood.range == (-math.inf, math.inf):
        return Vectors(tuple(shape), "vectors")
    if likelihood.range[1] == math.inf:
        return Counts(tuple(shape))
    return Images(tuple(shape), *likelihood.range)
