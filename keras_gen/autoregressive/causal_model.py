"""What autoregressive models of images and of sequences share."""

import math
from typing import cast

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.autoregressive.causality import require_causal, require_draws
from keras_gen.autoregressive.sampling import sample_causal
from keras_gen.core import LikelihoodModel, log_prob, sample
from keras_gen.core.kinds_of_data import Number, Seeds
from keras_gen.core.likelihood_model import edge_of, require_parameters
from keras_gen.core.noise import seeded
from keras_gen.declared import network
from keras_gen.losses.likelihoods import Likelihood


class CausalModel(LikelihoodModel):
    """Base of the models of values one after the other, each given those before it.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016, eq. (1).
    The loss is the exact negative log-likelihood in nats. Samples are drawn by one compiled loop
    that caches what earlier places computed. A subclass declares or sets `likelihood`, names its
    conditions in `given`, in the order of the network's further inputs, and may set another edge of
    its data.

    Args:
        network: Values `[batch, ..., channels]`, and any conditions, to parameters of the
            likelihood `[batch, ..., channels * parameters]`, in the order `[channel, parameter]`.
            Those of a value depend only on the values before it, in rows, then columns or times,
            then channels.
        seed: Seed of the order in which `fit` takes the examples of a `Source`.

    Raises:
        ValueError: If the likelihood draws no values one by one, the network's parameters do not
            fit it, the network has other inputs than the values and the conditions, or is not
            causal: the parameters of a value depend on it or a later one, by which no probabilities
            sum to 1.
    """

    default_signature = "sample"
    # Whether values below 0 are padding, which counts in no loss.
    padded = False
    likelihood = cast(Likelihood, None)
    sample = sample
    log_prob = log_prob

    network: keras.Model = network("x -> parameters")

    @override
    def train_step(self, data):
        """Takes one step of the network on the negative log-likelihood, eq. (1)."""
        batch = self.prepare_batch(data)

        def nll():
            terms = self.terms(batch)
            return self.weighted(terms), terms

        loss, terms = self.minimize(nll)
        return self.report(terms, loss=loss)

    @override
    def terms(self, batch):
        x = batch["x"]
        conditions = [batch[name] for name in self.given]
        parameters = self.parameters(x, conditions)
        if not self.padded:
            return {"nll": -self.likelihood.log_prob(parameters, x)}
        # What is given for padding has a probability too, which does not count.
        log_probs = self.likelihood.log_probs(parameters, tf.maximum(x, 0))
        live = tf.cast(x >= 0, tf.float32)
        return {"nll": -tf.reduce_sum(live * log_probs, axis=list(range(1, x.shape.rank)))}

    @override
    def loss_weights(self):
        return {"nll": 1.0}

    def parameters(self, x, conditions) -> tf.Tensor:
        """Returns the parameters of every value, given those before it and the conditions."""
        return self.network([x, *conditions] if conditions else x, training=self.training)

    # Samples ---------------------------------------------------------------------------------

    def noise(self, n, key):
        """Draws the uniform numbers from which every value is drawn."""
        return tf.random.stateless_uniform([n, *self.noise_shape()], key)

    def noise_shape(self) -> list:
        """Returns the shape of the noise of one example."""
        return [*self.edges["x"].shape, self.likelihood.uniforms_per_value]

    @property
    def evaluations(self) -> dict[str, int]:
        """How often signatures evaluate the network for an example: once per place of open axes."""
        places = math.prod(self.noise_shape()[:-1])
        taken = math.prod(size or 1 for size in self.network.inputs[0].shape[1:])
        return dict.fromkeys(("sample", "fill", "log_prob", "score"), max(1, places // taken))

    def draw_values(
        self, noise, temperature=1.0, conditions=(), known=None, missing=None
    ) -> tf.Tensor:
        """Returns examples drawn value by value.

        Args:
            noise: Uniform, `[n, *noise_shape]`.
            temperature: Below 1 likely values become more likely.
            conditions: Of the network, `[n, ...]` each.
            known: Examples as the network takes them, whose values are kept; None: all are drawn.
            missing: Not 0 where a value is drawn all the same, of the shape of `known` or with one
                channel.
        """
        uniforms = self.likelihood.uniforms_per_value
        if known is not None:
            # To the noise of a value we add what is known of it.
            value = tf.cast(known, tf.float32)[..., None]
            absent = tf.cast(tf.broadcast_to(missing, tf.shape(known)), tf.float32)[..., None]
            noise = tf.concat([noise, value, absent], axis=-1)

        def draw(parameters, noise):
            uniform = noise[:, None, :uniforms]
            value = self.likelihood.draw(parameters, uniform, temperature)[:, 0]
            if known is None:
                return value
            return tf.where(noise[:, -1] > 0, value, noise[:, -2])

        return sample_causal(self.network, draw, noise, conditions)

    def from_noise(self, noise, temperature=1.0, **given):
        """Returns examples drawn value by value; a temperature below 1 favors likely values."""
        return self.draw_values(noise, temperature, list(given.values()))

    def filled(self, x, missing, seeds, conditions=()) -> tf.Tensor:
        """Returns examples whose missing values are drawn, each given all before it.

        Args:
            x: Examples that went through the edge, `[n, ...]`.
            missing: See `draw_values`.
            seeds: Int32 `[n]`: equal ones draw equal noise.
            conditions: Of the network, `[n, ...]` each.
        """
        noise = seeded(tf.random.stateless_uniform, seeds, self.noise_shape())
        return self.draw_values(noise, conditions=conditions, known=x, missing=missing)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        require_draws(self.likelihood)
        require_parameters(self.network, self.likelihood)
        shape = tuple(self.network.inputs[0].shape[1:])
        found = tuple(self.network.outputs[0].shape[1:])
        needed = self.likelihood.params_per_value
        if found != (*shape[:-1], shape[-1] * needed):
            raise ValueError(
                f"The network returns {found} for values of shape {shape}: expected {needed} "
                f"numbers for each value, the parameters of {self.likelihood}."
            )
        require_causal(self.network, self.likelihood.levels)
        self.edges["x"] = edge_of(self.likelihood, shape)
        self.edges["seeds"] = Seeds()
        self.edges["temperature"] = Number(1e-3, 10.0, "temperature")
