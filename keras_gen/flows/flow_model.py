"""What all flows share: the exact log-likelihood of data that become Normal latents."""

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.bases import Inferred, LikelihoodModel, log_prob
from keras_gen.losses.base import per_example_sum
from keras_gen.training import noise, require_built


class FlowModel(LikelihoodModel):
    """Base of models that map data to Normal latents, trained on the exact log-likelihood.

    Dinh, Sohl-Dickstein, Bengio: "Density Estimation Using Real NVP", ICLR 2017, eqs. (2) and (3).
    A subclass says how its flow takes a batch in `forward`. Data of discrete levels get noise,
    since a density of points would be infinite.

    Args:
        flow: A built `Chain`.
        seed: Seed of the noise.
    """

    log_prob = log_prob

    def __init__(self, flow, seed, **kwargs):
        super().__init__(seed=seed, **kwargs)
        require_built(flow)
        self.flow = flow

    def forward(self, x, offset, training: bool = False) -> Inferred:
        """Returns the latents of a prepared batch, the log-determinant and the statistics.

        Args:
            x: The batch.
            offset: Where within its level each value lies, in [0, 1).
            training: Whether this is a step of training.

        Returns:
            The parameters are log |det dz/dx|, `[batch]`, with one level of x as its unit, and the
            statistics for the flow's `after_update`.
        """
        raise NotImplementedError

    @override
    def loss_weights(self):
        return {"nll": 1.0}

    @override
    def infer(self, x, training):
        return self.forward(x, self.uniform("levels", keras.ops.shape(x), training), training)

    @override
    def loss_terms(self, x, inferred, training):
        log_normal = -0.5 * (tf.square(inferred.latents) + np.log(2 * np.pi))
        log_det, _ = inferred.parameters
        return {"nll": -per_example_sum(log_normal) - log_det}

    @override
    def nats(self, x):
        inferred = self.forward(x, noise.uniform(keras.ops.shape(x), self.score_seed()))
        return self.loss_terms(x, inferred, training=False)["nll"]

    @override
    def after_update(self, x, inferred):
        """Keeps the statistics of the first batch, by which activations are normalized."""
        _, statistics = inferred.parameters
        self.flow.after_update(statistics)
