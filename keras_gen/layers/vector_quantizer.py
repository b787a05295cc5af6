"""The codebook of a VQ-VAE."""

from typing import ClassVar, Literal

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.core.distribution import global_batch, global_sum
from keras_gen.declared import Count, DeclaredLayer, Positive
from keras_gen.layers.layer_arguments import Inside0And1

Update = Literal["average", "loss"]


@keras.saving.register_keras_serializable("keras_gen")
class VectorQuantizer(DeclaredLayer):
    """Replaces each latent with the nearest of a set of learned codes.

    Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017.
    Codes are moving averages of the latents assigned to them (appendix A.1), or are learned with
    gradients of `codebook_loss`, the second term in eq. (3). Codes that are no longer used restart
    at latents from the batch, as in Dhariwal, Jun, Payne, Kim, Radford, Sutskever: "Jukebox: A
    Generative Model for Music", 2020, sec. 3.1. A call does not change any state: the model calls
    `after_update` with the global batch once the weights are updated, so all replicas have the same
    codebook.

    Deviations: counts are smoothed, as in the authors' code, so that no code is divided by 0.
    Counts start so low that every code that the first batch does not use restarts immediately,
    which initializes the codebook from data. The optimizer's moments for restarted codes are kept.

    Args:
        codes: Number of codes, K in the paper.
        dim: Number of dimensions of a code and of a latent, D in the paper.
        decay: Fraction of the old average that an update keeps, between 0 and 1; gamma in the
            paper.
        epsilon: Constant above 0 that is added to the number of uses of each code, for smoothing.
        dead_after: Number of consecutive updates without use after which a code restarts. A code
            that was used often is kept longer, until its average number of uses per batch falls
            below `decay ** dead_after`. If None, codes never restart.
        update: Method for learning the codes: moving averages (`"average"`) or gradients
            (`"loss"`).
        **kwargs: Additional arguments for `keras.layers.Layer`, such as `name`. `dtype` is ignored,
            because codes are float32.

    Example:
        >>> quantizer = VectorQuantizer(codes=16, dim=4)
        >>> latents = tf.random.normal([8, 7, 7, 4])
        >>> quantized, indices = quantizer(latents)
        >>> quantizer.after_update(latents, indices, seed=tf.constant([1, 2], tf.int64))
    """

    codes: Count
    dim: Count
    decay: Inside0And1 = 0.99
    epsilon: Positive = 1e-5
    dead_after: Count | None = 100
    update: Update = "average"
    options: ClassVar = {"dtype": "float32"}

    @override
    def set_up(self):
        # The threshold is halfway between the counts after `dead_after` updates and after
        # `dead_after - 1` updates.
        self._fewest = self.decay ** (self.dead_after - 0.5) if self.dead_after else 0.0
        start = self._fewest or 1.0
        state = dict(trainable=False, aggregation="only_first_replica")
        uniform = keras.initializers.RandomUniform(-1 / self.codes, 1 / self.codes)
        trained = state | dict(trainable=self.update == "loss")
        shape = (self.codes, self.dim)
        self.codebook = self.add_weight(shape, uniform, name="codebook", **trained)
        constant = keras.initializers.Constant(start)
        self.counts = self.add_weight((self.codes,), constant, name="counts", **state)
        if self.update == "average":

            def scaled(shape, dtype):
                return start * tf.convert_to_tensor(self.codebook)

            self.sums = self.add_weight(shape, scaled, name="sums", **state)
        self.built = True

    @override
    def call(self, latents) -> tuple:
        """Finds the codes nearest to an encoder's latents z_e(x), floats `[batch, ..., dim]`.

        Returns:
            The codes, float32 `[batch, ..., dim]`, whose gradient passes unchanged to the latents
            (straight-through), and the indices of the codes, int32 `[batch, ...]`.
        """
        if latents.shape[-1] != self.dim:
            raise ValueError(
                f"Latents have shape {tuple(latents.shape)}: expected a last axis of size "
                f"{self.dim}, the number of dimensions of a code."
            )
        latents = tf.cast(latents, tf.float32)
        # Distances are computed in float64, because the squares of numbers far from 0 lose small
        # differences in float32.
        flat = tf.reshape(tf.cast(latents, tf.float64), [-1, self.dim])
        codes = tf.cast(tf.convert_to_tensor(self.codebook), tf.float64)
        # Eq. (1): |z - e|^2, without |z|^2, which is equal for all codes.
        distances = tf.reduce_sum(codes**2, -1) - 2 * tf.matmul(flat, codes, transpose_b=True)
        indices = tf.argmin(distances, axis=-1, output_type=tf.int32)
        indices = tf.reshape(indices, tf.shape(latents)[:-1])
        # Eq. (2): the added term is 0 and passes the gradient to the latents; the codes receive no
        # gradient.
        quantized = tf.stop_gradient(self.embed(indices)) + (latents - tf.stop_gradient(latents))
        return quantized, indices

    def embed(self, indices) -> tf.Tensor:
        """Returns the codes, float32 `[batch, ..., dim]`, for integer indices `[batch, ...]`."""
        return tf.gather(tf.convert_to_tensor(self.codebook), indices)

    def commitment(self, latents, indices) -> tf.Tensor:
        """Returns the distance between latents and codes: the last term in eq. (3), without beta.

        The distance is |z - sg(e)|^2, averaged over the latents of an example (end of sec. 3.2),
        float32 `[batch]`. Latents and indices are as in `call`.
        """
        return _distance(latents, tf.stop_gradient(self.embed(indices)))

    def codebook_loss(self, latents, indices) -> tf.Tensor:
        """Returns the second term in eq. (3): `commitment`, but with a gradient for the codes."""
        return _distance(tf.stop_gradient(latents), self.embed(indices))

    def terms(self, latents, indices) -> dict[str, tf.Tensor]:
        """Returns `commitment`, `perplexity`, and, if the loss trains the codes, `codebook`."""
        terms = {}
        if self.update == "loss":
            terms["codebook"] = self.codebook_loss(latents, indices)
        terms["commitment"] = self.commitment(latents, indices)
        terms["perplexity"] = self.perplexity(indices)
        return terms

    def perplexity(self, indices) -> tf.Tensor:
        """Returns exp(entropy of the codes' frequencies in the global batch), from 1 to K."""
        uses = self._uses(indices)
        frequencies = uses / tf.reduce_sum(uses)
        return tf.exp(-tf.reduce_sum(tf.math.xlogy(frequencies, frequencies)))

    def after_update(self, latents, indices, seed) -> None:
        """Moves the codes toward their latents if codes are averages, and restarts unused codes.

        Args:
            latents: This replica's latents, float `[batch, ..., dim]`.
            indices: Indices of the codes assigned to the latents, int32 `[batch, ...]`, as returned
                by `call`.
            seed: Seed, int64 `[2]` from `stateless_seed`, for choosing the latents at which codes
                restart.
        """
        latents = tf.reshape(tf.cast(latents, tf.float32), [-1, self.dim])
        new = 1 - self.decay
        counts = self.decay * self.counts.value + new * self._uses(indices)  # eq. (6)
        if self.update == "average":
            chosen = tf.reshape(indices, [-1])
            found = global_sum(tf.math.unsorted_segment_sum(latents, chosen, self.codes))
            sums = self.decay * self.sums.value + new * found  # eq. (7)
        else:
            sums = tf.convert_to_tensor(self.codebook)
        if self.dead_after:
            everything = global_batch(latents)
            total = tf.shape(everything)[0]
            rows = tf.random.stateless_uniform([self.codes], seed, 0, total, tf.int32)
            dead = counts < self._fewest
            counts = tf.where(dead, 1.0, counts)
            sums = tf.where(dead[:, None], tf.gather(everything, rows), sums)
        self.counts.assign(counts)
        if self.update == "average":
            self.sums.assign(sums)
            total = tf.reduce_sum(counts)
            smoothed = (counts + self.epsilon) / (total + self.codes * self.epsilon) * total
            sums /= smoothed[:, None]  # eq. (8)
        self.codebook.assign(sums)

    def _uses(self, indices):
        """Returns the number of uses of each code in the global batch, float32 `[codes]`."""
        flat = tf.reshape(indices, [-1])
        ones = tf.ones(tf.shape(flat), tf.float32)
        return global_sum(tf.math.unsorted_segment_sum(ones, flat, self.codes))


def _distance(a, b) -> tf.Tensor:
    """Returns |a - b|^2, summed over dimensions and averaged over each example's latents."""
    squares = tf.reduce_sum(tf.square(tf.cast(a, tf.float32) - b), axis=-1)
    return tf.reduce_mean(squares, axis=list(range(1, squares.shape.rank)))
