"""A likelihood for the cells of table columns: words, and intervals of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_gen.data.transforms.cells import END_OF_CELL
from keras_gen.data.transforms.tables import Column
from keras_gen.losses.per_example import drawn_outcome, log_sigmoid

_OUTSIDE = 1e9  # a point outside all cells; infinity would make gradients NaN
LOG_SCALES = (-7.0, 4.0)


class CellLikelihood:
    """Probabilities of the cells in a table row, computed from the outputs of a network.

    The probability of a word is given by a softmax. The probability of a number is the mass of a
    mixture of logistic densities in the number's cell (Salimans et al.: "PixelCNN++", ICLR 2017,
    eq. (2), with bins of equal width). The edges of cells are at logit(c), where c is the fraction
    of training values below the edge. The last output of a column is the logit of a gap. If all
    outputs are zero, the probabilities of words, of gaps, and, if `mixtures` is 1, of numbers equal
    their frequencies in the training rows. With several components, the means of the components are
    spread around 0.

    Each column has `params_per_value` outputs: `[word logits]` or `[logits, means, log scales]`,
    followed by the logit of a gap. Outputs that a column does not need are ignored.

    Args:
        columns: Columns with cells, as returned by `table_columns`.
        mixtures: Number of logistic components per number.
    """

    logits = True
    range = parameter_range = (-math.inf, math.inf)
    levels = None
    uniforms_per_value = 4  # for the word or component, the number, the gap, and the position

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
        self.gap_weights = {"gap": 1.0} if self.may_be_missing.any() else {}
        self.noise_shape = [len(columns), self.uniforms_per_value]

    def split(self, outputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Splits outputs `[..., columns * params_per_value]`.

        Returns:
            The parameters of the values, `[..., columns, parameters]`, and the logits of gaps,
            `[..., columns]`.
        """
        shape = tf.concat([tf.shape(outputs)[:-1], [len(self.columns), -1]], axis=0)
        outputs = tf.reshape(tf.cast(outputs, tf.float32), shape)
        return outputs[..., :-1], outputs[..., -1] + self.gap_logits

    def log_prob(self, outputs: tf.Tensor, cells: tf.Tensor) -> tf.Tensor:
        """Returns log P of each row's known values in nats, `[..., batch]`.

        Args:
            outputs: Outputs of the network, `[..., batch, columns * params_per_value]`.
            cells: Indices of cells, `[batch, columns]`, negative for gaps.
        """
        parameters, _ = self.split(outputs)
        cells = tf.broadcast_to(cells, tf.shape(parameters)[:-1])
        return tf.reduce_sum(self.log_probs(parameters, cells), axis=-1)

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

    def gap_terms(self, cells, gap_logits, counted=True, weight=1.0) -> dict[str, tf.Tensor]:
        """Returns the negative log-likelihood of the mask of missing values, `[batch]`, in nats.

        Args:
            cells: Indices of cells, `[batch, columns]`, negative for gaps.
            gap_logits: Logits of gaps, `[batch, columns]`.
            counted: Mask of the values to count, `[batch, columns]`.
            weight: Factor applied to the result, `[batch]`.

        Returns:
            A dict with the loss term "gap", whose weight is in `gap_weights`. Both dicts are empty
            if no column has gaps.
        """
        if not self.gap_weights:
            return {}
        missing = tf.cast(cells < 0, tf.float32)
        nats = tf.nn.sigmoid_cross_entropy_with_logits(labels=missing, logits=gap_logits)
        nats = tf.where(counted & self.may_be_missing, nats, 0.0)
        return {"gap": weight * tf.reduce_sum(nats, axis=1)}

    def probabilities(self, place: int, parameters: tf.Tensor) -> tf.Tensor:
        """Returns P of every cell in a column, `[..., cells]`, given `[..., parameters]`."""
        count = len(self.columns[place].shares)
        if self.columns[place].categories:
            return tf.nn.softmax(parameters[..., :count] + self.log_shares[place, :count])
        logits, means, scales = (part[..., None, :] for part in self._mixture(parameters))
        edges = self.edges[place, : count + 1, None]
        return tf.exp(_log_mass(logits, means, scales, edges[:-1], edges[1:]))

    def mean(self, outputs: tf.Tensor) -> tf.Tensor:
        """Returns the most likely words and the medians of numbers, `[..., columns]`.

        Args:
            outputs: Outputs of the network, `[..., columns * params_per_value]`.

        Returns:
            The indices of cells plus the positions within the cells. A median is a training value,
            or is between two training values in the same cell.
        """
        parameters, _ = self.split(outputs)
        centers = []
        for place, column in enumerate(self.columns):
            p = self.probabilities(place, parameters[..., place, :])
            if column.categories:
                centers.append(tf.cast(tf.argmax(p, axis=-1), tf.float32))
                continue
            above = tf.cumsum(p, axis=-1)
            cell = tf.reduce_sum(tf.cast(above[..., :-1] < 0.5, tf.int32), axis=-1)
            mass, end = (tf.gather(v, cell, batch_dims=cell.shape.rank) for v in (p, above))
            position = tf.clip_by_value(tf.math.divide_no_nan(0.5 - end, mass) + 1, 0.0, 1.0)
            centers.append(tf.cast(cell, tf.float32) + END_OF_CELL * position)
        return tf.stack(centers, axis=-1)

    def draw_rows(self, outputs: tf.Tensor, uniforms: tf.Tensor, gaps: bool = True) -> tf.Tensor:
        """Returns sampled rows of cells, with positions in the cells, float32 `[n, columns]`.

        Args:
            outputs: Outputs of the network, `[n, columns * params_per_value]`.
            uniforms: Noise in [0, 1), `[n, columns, uniforms_per_value]`.
            gaps: Whether values may be missing.
        """
        parameters, gap_logits = self.split(outputs)
        places = tf.tile(tf.range(len(self.columns)), tf.shape(outputs)[:1])
        flat = tf.reshape(uniforms, [-1, self.uniforms_per_value])
        each = tf.reshape(parameters, [-1, self.params_per_value - 1])
        values = self.draw(places, each, flat)
        if gaps:
            values = self.with_gaps(places, values, tf.reshape(gap_logits, [-1]), flat)
        return tf.reshape(values, [-1, len(self.columns)])

    def draw(self, place, parameters: tf.Tensor, uniforms: tf.Tensor) -> tf.Tensor:
        """Returns cells, with positions in the cells, float32 `[n]`, sampled with uniform noise.

        Args:
            place: Index of the column, a scalar, or `[n]` for values in different columns.
            parameters: Parameters of the values, `[n, parameters]`.
            uniforms: Noise in [0, 1), `[n, uniforms_per_value]`.
        """
        first = uniforms[:, :1]
        second = uniforms[:, 1]
        position = END_OF_CELL * uniforms[:, 3]
        word = drawn_outcome(parameters + tf.gather(self.log_shares, place), first)
        if not len(self.numbers):
            return tf.cast(word, tf.float32) + position
        logits, means, scales = self._mixture(parameters)
        component = drawn_outcome(logits, first)[:, None]
        mean = tf.gather(means, component, batch_dims=1)[:, 0]
        scale = tf.gather(scales, component, batch_dims=1)[:, 0]
        inside = tf.clip_by_value(second, 1e-7, 1 - 1e-7)
        value = mean + scale * (tf.math.log(inside) - tf.math.log1p(-inside))
        inner = tf.gather(self.edges, place)[..., 1:]
        number = tf.reduce_sum(tf.cast(inner <= value[:, None], tf.int32), axis=1)
        is_word = tf.gather(np.isin(range(len(self.columns)), self.words), place)
        return tf.cast(tf.where(is_word, word, number), tf.float32) + position

    def with_gaps(self, place, values, gap_logits, uniforms) -> tf.Tensor:
        """Returns the values `[n]` of `draw`, with -1 for missing values, given the noise."""
        missing = uniforms[:, 2] < tf.sigmoid(gap_logits)
        return tf.where(tf.gather(self.may_be_missing, place) & missing, -1.0, values)

    def _mixture(self, parameters):
        """Returns the logits, means, and scales of the components, each `[..., mixtures]`."""
        logits, means, log_scales = tf.split(parameters[..., : 3 * self.mixtures], 3, axis=-1)
        if self.mixtures > 1:
            means += tf.linspace(-1.5, 1.5, self.mixtures)
            log_scales -= 1.0  # smaller, because each component covers only a part of the range
        return logits, means, tf.exp(tf.clip_by_value(log_scales, *LOG_SCALES))


def _log_mass(logits, means, scales, low, high):
    """Returns log(sigmoid(b) - sigmoid(a)), the mixture's mass between edges, without underflow."""
    a, b = (low - means) / scales, (high - means) / scales
    # sigmoid(b) - sigmoid(a) = sigmoid(b) sigmoid(-a) (1 - exp(a - b)).
    inside = tf.math.log(-tf.math.expm1((low - high) / scales))
    masses = log_sigmoid(b) + log_sigmoid(-a) + inside
    return tf.reduce_logsumexp(tf.nn.log_softmax(logits) + masses, axis=-1)
