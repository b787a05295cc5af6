"""A likelihood for the cells of table columns: words, and intervals of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_gen.data.transforms.tables import Column
from keras_gen.losses.per_example import log_sigmoid

_OUTSIDE = 1e9  # beyond all edges; infinity would make gradients NaN
LOG_SCALES = (-7.0, 4.0)


class CellLikelihood:
    """Probabilities of the cells in a table row, computed from the outputs of a network.

    The probability of a word is given by a softmax. The probability of a number is the mass of a
    mixture of logistic densities in the number's cell (Salimans et al.: "PixelCNN++", ICLR 2017,
    eq. (2), with bins of equal width). The edges of cells are at logit(c), where c is the fraction
    of training values below the edge. The last output is the logit of a gap. If all outputs are
    zero, words and gaps have their frequencies in the training rows, and so do numbers if
    `mixtures` is 1. With several components, their means are spread around 0.

    Each column has `params_per_value` outputs, `[word logits]` or `[logits, means, log scales]`,
    followed by the gap's logit. Outputs that a column does not need are ignored.

    Args:
        columns: Columns with cells, as returned by `table_columns`.
        mixtures: Number of logistic components per number.
    """

    logits = True
    parameter_range = (-math.inf, math.inf)
    uniforms_per_value = 3  # for a word or a component, a number, and a gap

    def __init__(self, columns: Sequence[Column], mixtures: int = 4):
        self.columns = list(columns)
        self.mixtures = mixtures
        words = [len(column.categories) for column in columns]
        self.words = np.flatnonzero(words)
        self.numbers = np.flatnonzero(np.equal(words, 0))
        needed = max(max(words), 3 * mixtures if len(self.numbers) else 0)
        self.params_per_value = needed + 1
        self.cells = max(len(column.shares) for column in columns)
        self.log_shares = np.full([len(columns), needed], -_OUTSIDE, "float32")
        self.edges = np.full([len(columns), self.cells + 1], _OUTSIDE, "float32")
        self.edges[:, 0] = -_OUTSIDE
        self.gap_logits = np.zeros(len(columns), "float32")
        for place, column in enumerate(columns):
            if column.categories:
                self.log_shares[place, : words[place]] = np.log(column.shares)
            else:
                below = np.cumsum(column.shares)[:-1]
                self.edges[place, 1 : len(column.shares)] = np.log(below) - np.log1p(-below)
            missing = np.clip(column.missing, 1e-6, 1 - 1e-6)
            self.gap_logits[place] = np.log(missing) - np.log1p(-missing)
        self.may_be_missing = np.array([column.missing > 0 for column in columns])

    def split(self, outputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Splits outputs `[..., columns * params_per_value]`.

        Returns:
            Parameters of the values, `[..., columns, parameters]`, and logits of gaps,
            `[..., columns]`.
        """
        shape = tf.concat([tf.shape(outputs)[:-1], [len(self.columns), -1]], axis=0)
        outputs = tf.reshape(tf.cast(outputs, tf.float32), shape)
        return outputs[..., :-1], outputs[..., -1] + self.gap_logits

    def log_probs(self, parameters: tf.Tensor, cells: tf.Tensor) -> tf.Tensor:
        """Returns log P of each cell in nats, `[..., columns]`, with 0 for gaps (negative cells).

        Args:
            parameters: Parameters of the values, `[..., columns, parameters]`.
            cells: Indices of cells, `[..., columns]`.
        """
        known = cells >= 0
        cells = tf.cast(tf.maximum(cells, 0), tf.int32)
        parts = []
        if len(self.words):
            logits = tf.gather(parameters, self.words, axis=-2) + self.log_shares[self.words]
            chosen = tf.gather(cells, self.words, axis=-1)
            parts.append(-tf.nn.sparse_softmax_cross_entropy_with_logits(chosen, logits))
        if len(self.numbers):
            chosen = tf.gather(cells, self.numbers, axis=-1)
            places = tf.range(len(self.numbers)) * (self.cells + 1) + chosen
            edges = tf.reshape(self.edges[self.numbers], [-1])
            low, high = tf.gather(edges, places), tf.gather(edges, places + 1)
            logits, means, scales = self._mixture(tf.gather(parameters, self.numbers, axis=-2))
            edges = low[..., None], high[..., None]
            parts.append(_log_mass(logits, means, scales, *edges))
        order = np.argsort(np.concatenate([self.words, self.numbers]))
        log_probs = tf.gather(tf.concat(parts, axis=-1), order, axis=-1)
        return tf.where(known, log_probs, 0.0)

    def probabilities(self, place: int, parameters: tf.Tensor) -> tf.Tensor:
        """Returns P of every cell in a column, `[..., cells]`, given `[..., parameters]`."""
        count = len(self.columns[place].shares)
        if self.columns[place].categories:
            return tf.nn.softmax(parameters[..., :count] + self.log_shares[place, :count])
        logits, means, scales = (part[..., None, :] for part in self._mixture(parameters))
        edges = self.edges[place, : count + 1, None]
        return tf.exp(_log_mass(logits, means, scales, edges[:-1], edges[1:]))

    def draw(self, place, parameters: tf.Tensor, uniforms: tf.Tensor) -> tf.Tensor:
        """Returns cells of one column, float32 `[n]`, sampled with uniform noise.

        Args:
            place: Position of the column, a scalar.
            parameters: Parameters of this column, `[n, parameters]`.
            uniforms: Noise in [0, 1), `[n, 2]` or more.
        """
        first = uniforms[:, :1]
        second = uniforms[:, 1]
        word = drawn_outcome(parameters + tf.gather(self.log_shares, place), first)
        if not len(self.numbers):
            return tf.cast(word, tf.float32)
        logits, means, scales = self._mixture(parameters)
        component = drawn_outcome(logits, first)[:, None]
        mean = tf.gather(means, component, batch_dims=1)[:, 0]
        scale = tf.gather(scales, component, batch_dims=1)[:, 0]
        inside = tf.clip_by_value(second, 1e-7, 1 - 1e-7)
        value = mean + scale * (tf.math.log(inside) - tf.math.log1p(-inside))
        inner = tf.gather(self.edges, place)[1:]
        number = tf.reduce_sum(tf.cast(inner <= value[:, None], tf.int32), axis=1)
        is_word = tf.gather(np.isin(range(len(self.columns)), self.words), place)
        return tf.cast(tf.where(is_word, word, number), tf.float32)

    def _mixture(self, parameters):
        """Returns the logits, means, and scales of the components, each `[..., mixtures]`."""
        logits, means, log_scales = tf.split(parameters[..., : 3 * self.mixtures], 3, axis=-1)
        if self.mixtures > 1:
            means += tf.linspace(-1.5, 1.5, self.mixtures)
            log_scales -= 1.0  # because each component covers a part
        return logits, means, tf.exp(tf.clip_by_value(log_scales, *LOG_SCALES))


def _log_mass(logits, means, scales, low, high):
    """Returns log(sigmoid(b) - sigmoid(a)), the mixture's mass between edges, without underflow."""
    a, b = (low - means) / scales, (high - means) / scales
    # sigmoid(b) - sigmoid(a) = sigmoid(b) sigmoid(-a) (1 - exp(a - b)).
    inside = tf.math.log(-tf.math.expm1((low - high) / scales))
    masses = log_sigmoid(b) + log_sigmoid(-a) + inside
    return tf.reduce_logsumexp(tf.nn.log_softmax(logits) + masses, axis=-1)


def drawn_outcome(logits, uniform):
    """Samples outcomes `[n]` from softmax(logits `[n, outcomes]`) with uniform noise `[n, 1]`."""
    cumulative = tf.cumsum(tf.nn.softmax(logits), axis=-1)
    # The last sum is 1 up to rounding; an outcome with probability 0 is never sampled.
    passed = cumulative[:, :-1] <= uniform * cumulative[:, -1:]
    return tf.reduce_sum(tf.cast(passed, tf.int32), axis=-1)
