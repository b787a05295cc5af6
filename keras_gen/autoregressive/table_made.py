"""MADE for table rows with categories, numbers, and missing values."""

from collections.abc import Sequence

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.autoregressive.causality import require_causal
from keras_gen.core import LikelihoodModel, log_prob, sample
from keras_gen.core.likelihood_model import require_parameters
from keras_gen.core.noise import seeded
from keras_gen.data.transforms.cells import require_cells
from keras_gen.data.transforms.tables import Column
from keras_gen.declared import argument, network
from keras_gen.losses.likelihoods.cells import CellLikelihood
from keras_gen.losses.per_example import drawn_outcome
from keras_gen.tables import (
    DRAWS,
    complete,
    expected,
    fill,
    impute,
    set_up_rows,
)


@keras.saving.register_keras_serializable("keras_gen")
class TableMADE(LikelihoodModel):
    """A model of table rows that predicts each column from the preceding columns.

    Germain, Gregor, Murray, Larochelle: "MADE: Masked Autoencoder for Distribution Estimation",
    ICML 2015, sec. 3 and 4. Each word and each interval of numbers is a cell (see `table_columns`).
    The probability of a number is the mass that a mixture of logistic densities assigns to the
    number's cell. Therefore, the log-likelihood, in nats, refers to cells, and is comparable with
    the log-likelihoods of other models of the same cells.

    With `any_order`, the network predicts each column from any subset of the other columns (Uria,
    Murray, Larochelle: "A Deep and Tractable Density Estimator", ICML 2014, sec. 4, eq. 9). Such a
    network fills gaps in one pass, or column by column. Without `any_order`, gaps are filled using
    64 weighted samples (likelihood weighting).

    `fit`, `log_prob`, `impute`, and `complete` accept a DataFrame, a dict of columns, the path of a
    CSV file, or strings `[n, columns]`. A missing value contributes only to `gap_loss`, from which
    the model learns which values are missing, so samples also have gaps.

    Deviations: masks apply to whole columns, and the output layer is also connected directly to the
    features. With `any_order`, `log_prob` uses the order of the columns.

    Args:
        network: Network that maps cells `[batch, columns]`, with -1 where a value is unknown, to
            the parameters of a `CellLikelihood`, such as `keras_gen.networks.table_made`. Without
            `any_order`, the parameters of a column depend only on the columns before it.
        columns: Columns with cells, as returned by `keras_gen.data.table_columns`.
        any_order: Whether the network predicts a column from any subset of the other columns.
        seed: Seed for the column orders, and for the order of the examples in a `Source`.

    Raises:
        ValueError: If the network does not match the columns, or is not causal.

    Example:
    ```python
    from keras_gen import MADE
    from keras_gen.data import table_columns
    people = {"age": [39, 50, 28, 41], "work": ["farm", "city", None, "city"]}
    model = MADE.for_table(table_columns(people), hidden=(8,))
    model.compile()
    model.fit(people, batch_size=4)
    nats, others = -model.log_prob(people), model.sample(9, seed=1)
    complete = model.impute(people)
    ```
    """

    default_signature = "sample"
    log_prob = log_prob
    sample = sample
    impute = impute
    complete = complete
    expected = expected
    fill = fill
    no_builders = "is for tables: use MADE.for_table."

    network: keras.Model = network("x -> parameters")
    columns: Sequence[Column] = argument(check=lambda _, value: require_cells(value))
    any_order: bool = False

    @override
    def terms(self, batch):
        """Returns the negative log-likelihoods of the values and of the mask of missing values."""
        x = batch["x"]
        hidden, weight = self._hidden(x) if self.any_order else (tf.ones_like(x, tf.bool), 1.0)
        given = tf.where(hidden, -1.0, x) if self.any_order else x
        parameters, gap_logits = self.likelihood.split(
            self.network(given, training=self.training)
        )
        log_probs = self.likelihood.log_probs(parameters, x)
        nll = -tf.reduce_sum(tf.where(hidden, log_probs, 0.0), axis=1)
        return {"nll": weight * nll} | self.likelihood.gap_terms(x, gap_logits, hidden, weight)

    def _hidden(self, x):
        """Returns the columns to predict (the last in a random order, eq. 9) and their weights."""
        count = len(self.columns)
        keys = self.uniform("order", [tf.shape(x)[0], count])
        rank = tf.argsort(tf.argsort(keys, axis=1), axis=1)
        # d - 1 columns are given, where d is uniformly distributed from 1 to D.
        given = tf.floor(self.uniform("given", [tf.shape(x)[0], 1]) * count)
        return rank >= tf.cast(given, tf.int32), (count / (count - given))[:, 0]

    @override
    def loss_weights(self):
        return {"nll": 1.0} | self.likelihood.gap_weights

    @override
    def nats(self, x):
        """Returns -log p of each row's values, `[batch]`, predicted in the order of the columns."""
        if not self.any_order:
            return -self.likelihood.log_prob(self.network(x, training=False), x)

        def step(place, nats):
            given = tf.where(tf.range(len(self.columns)) < place, x, -1.0)
            parameters, _ = self.likelihood.split(self.network(given, training=False))
            log_probs = self.likelihood.log_probs(parameters, x)
            return place + 1, nats - log_probs[:, place]

        start = (0, tf.zeros_like(x[:, 0]))
        return tf.while_loop(lambda place, _: place < len(self.columns), step, start)[1]

    # Samples ---------------------------------------------------------------------------------

    def noise(self, n, key):
        """Samples uniform noise for the cell of each value, and for the position in the cell."""
        return tf.random.stateless_uniform([n, *self.likelihood.noise_shape], key)

    def from_noise(self, noise):
        """Returns rows `[n, columns]` of cells with positions, sampled column by column."""
        return self._drawn(noise)[0]

    def _drawn(self, noise, known=None):
        """Samples cells in the order of the columns.

        Args:
            noise: See `noise`.
            known: Cells to keep, `[n, columns]`, with -1 where a cell is sampled. If None, all
                cells are sampled, and may be gaps.

        Returns:
            Cells with positions, `[n, columns]`, and log P of the known cells, `[n]`.
        """
        count = len(self.columns)
        places = tf.range(count)
        start = tf.fill(tf.shape(noise)[:2], -1.0)
        # If the network can condition on later columns, known values of these columns are also
        # given.
        start = known if known is not None and self.any_order else start

        def step(place, x, log_weight):
            parameters, gaps = self.likelihood.split(self.network(x, training=False))
            uniforms = noise[:, place]
            value = self.likelihood.draw(place, parameters[:, place], uniforms)
            if known is None:
                value = self.likelihood.with_gaps(place, value, gaps[:, place], uniforms)
            else:
                here = tf.where(places == place, known, -1.0)
                log_probs = self.likelihood.log_probs(parameters, here)
                log_weight += tf.reduce_sum(log_probs, axis=1)
                value = tf.where(known[:, place] >= 0, known[:, place], value)
            x = tf.where(places == place, value[:, None], x)
            return place + 1, tf.ensure_shape(x, [None, count]), log_weight

        state = (0, tf.ensure_shape(start, [None, count]), tf.zeros(tf.shape(noise)[:1]))
        return tf.while_loop(lambda place, *_: place < count, step, state)[1:]

    # Gaps ------------------------------------------------------------------------------------

    def probabilities(self, x) -> list[tf.Tensor]:
        """Returns cell probabilities given the known values, `[n, cells]` for each column."""
        if self.any_order:
            parameters, _ = self.likelihood.split(self.network(x, training=False))
            every = enumerate(tf.unstack(parameters, axis=1))
            return [self.likelihood.probabilities(place, each) for place, each in every]
        noise = tf.random.stateless_uniform([DRAWS, *self.likelihood.noise_shape], [0, 0])
        cells, log_weights = self._weighted(x, tf.repeat(noise[None], tf.shape(x)[0], axis=0))
        weights = tf.nn.softmax(log_weights)
        parts = []
        for place, column in enumerate(self.columns):
            one_hot = tf.one_hot(tf.cast(cells[..., place], tf.int32), len(column.shares))
            parts.append(tf.einsum("nk,nkc->nc", weights, one_hot))
        return parts

    def completed(self, x, seeds) -> tf.Tensor:
        """Returns rows `[n, columns]` whose gaps are sampled with one seed per row."""
        if self.any_order:
            noise = seeded(tf.random.stateless_uniform, seeds, self.likelihood.noise_shape)
            return self._drawn(noise, x)[0]
        noise = seeded(tf.random.stateless_uniform, seeds, [DRAWS, *self.likelihood.noise_shape])
        cells, log_weights = self._weighted(x, noise)
        uniform = seeded(tf.random.stateless_uniform, seeds, [1], step=1)
        return tf.gather(cells, drawn_outcome(log_weights, uniform), batch_dims=1)

    def _weighted(self, x, noise):
        """Returns completions of each row `[n, draws, columns]` and their log weights `[n, draws]`.

        Columns are sampled in order, and weighted by the probability of the known values.
        """
        rows = tf.repeat(x, DRAWS, axis=0)
        cells, log_weights = self._drawn(tf.reshape(noise, [-1, *noise.shape[2:]]), rows)
        cells = tf.reshape(cells, [-1, DRAWS, len(self.columns)])
        return cells, tf.reshape(log_weights, [-1, DRAWS])

    @property
    def evaluations(self) -> dict[str, int]:
        """Number of network evaluations per example, by signature."""
        count = len(self.columns)
        weighted = count if self.any_order else count * DRAWS
        passes = count if self.any_order else 1
        return {
            "sample": count, "fill": weighted, "expected": weighted, "log_prob": passes,
            "score": passes,
        }  # fmt: skip

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        self.likelihood = CellLikelihood(self.columns)
        require_parameters(self.network, self.likelihood)
        shapes = self.network.input_shape[1:], self.network.output_shape[1:]
        set_up_rows(self, *shapes, "table_made")
        if not self.any_order:
            require_causal(self.network, 2)
