"""PixelCNN (van den Oord, Kalchbrenner, Kavukcuoglu 2016)."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.autoregressive.causality import require_causal
from keras_gen.autoregressive.sampling import draw_category, sample_causal
from keras_gen.bases import LikelihoodModel, log_prob
from keras_gen.bases.edges import Levels, Number
from keras_gen.losses import Categorical
from keras_gen.training import require_built, require_inputs, require_logits, sample


@keras.saving.register_keras_serializable("keras_gen")
class PixelCNN(LikelihoodModel):
    """Images as a product of conditionals: each value given those before it.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016, eq. (1)
    and (2), with the masked convolutions of sec. 3.4 and a softmax over the levels (sec. 3.5). The
    loss is the exact negative log-likelihood in nats. Samples are drawn by one compiled loop that
    caches what earlier pixels computed.

    Deviations: those of the network, `keras_gen.networks.pixel_cnn`.

    Args:
        network: Levels `[batch, height, width, channels]` to logits `[batch, height, width,
            channels * levels]`, in the order `[channel, level]`. The logits of a value depend only
            on the values before it, in rows, then pixels, then channels.
        levels: Number of levels of a value, 256 in the paper.
        seed: Not used by this model.

    Raises:
        ValueError: If the network does not give `levels` logits for each value, or is not causal:
            the logits of a value depend on it or a later one, by which no probabilities sum to 1.

    Example:
    ```python
    from keras_gen.networks import pixel_cnn
    model = PixelCNN(pixel_cnn((8, 8, 1), 4, filters=8, blocks=1, levels=4), levels=4)
    model.compile()
    model.fit(np.zeros((8, 8, 8, 1), "uint8"), batch_size=4)
    images = model.sample(9, seed=1, temperature=0.9)
    ```
    """

    default_signature = "sample"
    sample = sample
    log_prob = log_prob

    def __init__(self, network, levels: int, seed=0, **kwargs):
        super().__init__(seed=seed, **kwargs)
        require_built(network)
        require_inputs(1, type(self), network)
        require_logits(network)
        shape = tuple(network.inputs[0].shape[1:])
        if network.output_shape[1:] != (*shape[:-1], shape[-1] * levels):
            raise ValueError(
                f"The network gives {network.output_shape[1:]} for images of shape {shape}: "
                f"expected {levels} logits for each value."
            )
        self.network = network
        self.levels = levels
        self.likelihood = Categorical(levels)
        require_causal(network, levels)
        self.edges["x"] = Levels(shape, levels)
        self.edges["temperature"] = Number(1e-3, 10.0, "temperature")

    @override
    def loss_weights(self):
        return {"nll": 1.0}

    @override
    def loss_terms(self, x, inferred, training):
        return {"nll": -self.likelihood.log_prob(self.network(x, training=training), x)}

    def noise(self, n, key):
        """Draws a uniform number for each value."""
        return tf.random.stateless_uniform([n, *self.edges["x"].shape], key)

    def from_noise(self, noise, temperature=1.0):
        """Returns images drawn value by value from logits divided by the temperature."""

        def draw(logits, uniform):
            return draw_category(logits / temperature, uniform)

        return sample_causal(self.network, draw, noise)
