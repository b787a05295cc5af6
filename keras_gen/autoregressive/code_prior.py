"""A prior over the codes of a trained coder (van den Oord, Vinyals, Kavukcuoglu 2017)."""

import math

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.autoregressive.causal_model import CausalModel
from keras_gen.core import capability
from keras_gen.core.kinds_of_data import Labels
from keras_gen.declared import network
from keras_gen.losses import Categorical


@keras.saving.register_keras_serializable("keras_gen")
class CodePrior(CausalModel):
    """An autoregressive prior over the codes of examples, used to sample new examples.

    Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017,
    sec. 3.3: after the VQ-VAE is trained, a PixelCNN is fitted to the codes of images, or a WaveNet
    to the codes of sounds. `fit` accepts examples, which the frozen coder encodes. `log_prob`
    returns log p(codes), and `bound` returns the resulting bound on log p(x).

    Args:
        network: Network that maps codes `[batch, *grid, 1]` to logits
            `[batch, *grid, codebook_size]`, such as `keras_gen.networks.gated_pixel_cnn` with
            `levels=codebook_size` and `unordered`. The logits of a code depend only on preceding
            codes. If a coder has several codes per position, which form the last axis of its grid,
            the codes of a position are the channels of the network's input. A network for sequences
            `[batch, codes, 1]`, such as a `transformer`, receives a grid row by row.
        coder: Trained model with integer codes, such as a `VQVAE`. Its weights are not changed. To
            train the coder further, compile it again.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.

    Raises:
        ValueError: If the grids of the network and the coder differ; see also `CausalModel`.

    Example:
    ```python
    from keras_gen.networks import gated_pixel_cnn, residual_decoder, residual_encoder
    from keras_gen.vae import VQVAE
    sizes = dict(latent_dim=4, filters=8, residual_filters=4)
    encoder = residual_encoder((16, 16, 3), **sizes)
    coder = VQVAE(encoder, residual_decoder((16, 16, 3), **sizes), codebook_size=8)
    network = gated_pixel_cnn((4, 4, 1), 8, filters=4, blocks=1, levels=8)
    prior = CodePrior(network, coder)
    prior.compile()
    images = np.zeros((8, 16, 16, 3), "uint8")
    prior.fit(images, batch_size=4)
    new_images = prior.sample(9, seed=1)
    nats_of_codes = -prior.log_prob(prior.encode(images))
    ```
    """

    frozen = ("coder",)

    coder: keras.Model = network(kw_only=True)

    @override
    def terms(self, batch):
        conditions = [batch[name] for name in self.given]
        return {"nll": self.code_nats(self.coder.codes(batch["x"]), conditions)}

    def code_nats(self, codes, conditions=()) -> tf.Tensor:
        """Returns -log p(codes) for codes `[batch, *grid]`, given the network's conditions."""
        values = tf.reshape(codes, [-1, *self.grid])
        parameters = self.parameters(values, conditions)
        return -self.likelihood.log_prob(parameters, values)

    @override
    def noise_shape(self):
        return [*self.grid, self.likelihood.uniforms_per_value]

    @override
    def from_noise(self, noise, temperature=1.0, **given):
        """Returns examples that the coder decodes from sampled codes."""
        conditions = list(given.values())
        latents = self.coder.embedded(self.draw_codes(noise, temperature, conditions))
        return self.coder.reconstructed(latents, *conditions[: len(self.labels_of_coder())])

    def draw_codes(self, noise, temperature, conditions=()) -> tf.Tensor:
        """Returns sampled codes, int32 `[n, *grid]`; see `draw_values`."""
        values = self.draw_values(noise, temperature, conditions)
        return tf.reshape(tf.cast(values, tf.int32), [-1, *self.edges["codes"].shape])

    def labels_of_coder(self) -> list[str]:
        """Returns the names of the labels that the coder needs for decoding."""
        edges = self.coder.edges
        return [n for n in self.coder.decode.takes(self.coder) if isinstance(edges[n], Labels)]

    @capability
    def encode(self, x):
        """Returns the codes of examples, integers `[n, *grid]`."""
        return {"codes": self.coder.codes(x)}

    @override
    @capability
    def log_prob(self, codes, **given):  # type: ignore[override]
        """Returns log p(codes | given), float32 `[n]`, in nats, for integer codes `[n, *grid]`."""
        return {"log_probs": -self.code_nats(codes, list(given.values()))}

    @capability
    def bound(self, x, **given):
        """Returns log p(x | codes) + log p(codes), a bound on log p(x), float32 `[n]`, in nats.

        If conditions are given, all three probabilities are conditional.
        """
        conditions = list(given.values())
        codes = self.coder.codes(x)
        of_coder = conditions[: len(self.labels_of_coder())]
        nats = self.coder.reconstruction(self.coder.embedded(codes), x, *of_coder)
        return {"bounds": -nats - self.code_nats(codes, conditions)}

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        if "codes" not in getattr(self.coder, "edges", ()):
            raise TypeError(
                f"coder is '{self.coder.name}': expected a model with integer codes, such as a "
                "VQVAE."
            )
        codes = self.coder.edges["codes"]
        self.likelihood = Categorical(codes.levels)
        super().set_up()
        self.grid = tuple(self.network.inputs[0].shape[1:])
        in_a_row = (math.prod(codes.shape), 1)
        if self.grid not in (codes.shape, (*codes.shape, 1), in_a_row):
            raise ValueError(
                f"The network accepts codes of shape {self.grid}: expected {(*codes.shape, 1)}, "
                f"with one value per code of the coder, or {in_a_row}, with the codes listed row "
                "by row."
            )
        self.coder.freeze()
        self.edges["x"] = self.coder.edges["x"]
        self.edges["codes"] = codes
