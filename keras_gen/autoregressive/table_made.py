"""MADE for the rows of a table: words, numbers, and gaps."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_seed
from keras_gen.autoregressive.causality import require_causal
from keras_gen.core import LikelihoodModel, capability, for_users, log_prob
from keras_gen.core.capabilities import sample as sample_rows
from keras_gen.core.kinds_of_data import Rows, Seeds
from keras_gen.core.kinds_of_data.kind_of_data import is_table
from keras_gen.core.likelihood_model import require_parameters
from keras_gen.core.noise import seeded
from keras_gen.data.transforms.cells import END_OF_CELL, in_frame, likeliest, require_cells
from keras_gen.data.transforms.tables import Column
from keras_gen.declared import argument, network
from keras_gen.losses.likelihoods.cells import CellLikelihood, drawn_outcome

DRAWS = 64  # weighted samples per row in `impute` and `complete`, if columns have a fixed order
PLACE = 3  # index of the position noise of a value, after the noise for `CellLikelihood`


@keras.saving.register_keras_serializable("keras_gen")
class TableMADE(LikelihoodModel):
    """A distribution of table rows in which each column is predicted from the preceding columns.

    Germain, Gregor, Murray, Larochelle: "MADE: Masked Autoencoder for Distribution Estimation",
    ICML 2015, sec. 3 and 4. Each word is a cell, as is each interval of numbers (`table_columns`).
    The probability of a number is the mass of a mixture of logistic densities in its cell, so the
    log-likelihood refers to cells, in nats, and is comparable with other models of the same cells.

    With `any_order`, the network predicts each column from any subset of the other columns (Uria,
    Murray, Larochelle: "A Deep and Tractable Density Estimator", ICML 2014, sec. 4, eq. 9). Gaps
    are then filled in one pass, or column by column; without `any_order`, they are filled using 64
    weighted samples (likelihood weighting).

    `fit`, `log_prob`, `impute`, and `complete` accept a DataFrame, a dict of columns, the path of a
    CSV file, or strings `[n, columns]`. A missing value contributes only to `gap_loss`, from which
    the model learns which values are missing, so that samples also have gaps.

    Deviations: masks apply to whole columns, and the output layer is also connected directly to the
    features. With `any_order`, `log_prob` uses the order of the columns.

    Args:
        network: Network that maps cells `[batch, columns]`, -1 where a value is unknown, to the
            parameters of a `CellLikelihood`, such as `keras_gen.networks.table_made`. Without
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

    network: keras.Model = network("x -> parameters")
    columns: Sequence[Column] = argument(check=lambda _, value: require_cells(value))
    any_order: bool = False

    @override
    def terms(self, batch):
        """Returns the negative log-likelihoods of the values, and of which values are missing."""
        x = batch["x"]
        hidden, weight = self._hidden(x) if self.any_order else (tf.ones_like(x, tf.bool), 1.0)
        given = tf.where(hidden, -1.0, x) if self.any_order else x
        parameters, gap_logits = self.likelihood.split(
            self.network(given, training=self.training)
        )
        log_probs = self.likelihood.log_probs(parameters, x)
        nll = -tf.reduce_sum(tf.where(hidden, log_probs, 0.0), axis=1)
        return {"nll": weight * nll} | self._gap_terms(x, gap_logits, hidden, weight)

    def _hidden(self, x):
        """Returns the columns to predict, the last of a random order (eq. 9), and their weights."""
        count = len(self.columns)
        keys = self.uniform("order", [tf.shape(x)[0], count])
        rank = tf.argsort(tf.argsort(keys, axis=1), axis=1)
        # d - 1 columns are given, d = 1 to D, all equally likely.
        given = tf.floor(self.uniform("given", [tf.shape(x)[0], 1]) * count)
        return rank >= tf.cast(given, tf.int32), (count / (count - given))[:, 0]

    def _gap_terms(self, x, gap_logits, hidden, weight):
        if not self.likelihood.may_be_missing.any():
            return {}
        missing = tf.cast(x < 0, tf.float32)
        nats = tf.nn.sigmoid_cross_entropy_with_logits(labels=missing, logits=gap_logits)
        counted = hidden & self.likelihood.may_be_missing
        return {"gap": weight * tf.reduce_sum(tf.where(counted, nats, 0.0), axis=1)}

    @override
    def loss_weights(self):
        gaps = {"gap": 1.0} if self.likelihood.may_be_missing.any() else {}
        return {"nll": 1.0} | gaps

    @override
    def nats(self, x):
        """Returns -log p of each row's values, `[batch]`, predicted in the order of the columns."""
        if not self.any_order:
            parameters, _ = self.likelihood.split(self.network(x, training=False))
            return -tf.reduce_sum(self.likelihood.log_probs(parameters, x), axis=1)

        def step(place, nats):
            given = tf.where(tf.range(len(self.columns)) < place, x, -1.0)
            parameters, _ = self.likelihood.split(self.network(given, training=False))
            log_probs = self.likelihood.log_probs(parameters, x)
            return place + 1, nats - log_probs[:, place]

        start = (0, tf.zeros_like(x[:, 0]))
        return tf.while_loop(lambda place, _: place < len(self.columns), step, start)[1]

    # Samples ---------------------------------------------------------------------------------

    def noise(self, n, key):
        """Samples uniform noise for each value: for its cell, and for the position in the cell."""
        shape = [n, len(self.columns), self.likelihood.uniforms_per_value + 1]
        return tf.random.stateless_uniform(shape, key)

    def from_noise(self, noise):
        """Returns rows `[n, columns]` of cells with positions, sampled column by column."""
        return self._drawn(noise)[0]

    def _drawn(self, noise, known=None):
        """Samples cells in the order of the columns.

        Args:
            noise: See `noise`.
            known: Cells to keep, `[n, columns]`, -1 where a cell is sampled. If None, all cells are
                sampled, and may be gaps.

        Returns:
            Cells with positions, `[n, columns]`, and log P of the known cells, `[n]`.
        """
        count = len(self.columns)
        places = tf.range(count)
        start = tf.fill(tf.shape(noise)[:2], -1.0)
        # Later columns are also given if the network may see them.
        start = known if known is not None and self.any_order else start

        def step(place, x, log_weight):
            parameters, gaps = self.likelihood.split(self.network(x, training=False))
            uniforms = noise[:, place]
            value = self.likelihood.draw(place, parameters[:, place], uniforms)
            value += END_OF_CELL * uniforms[:, PLACE]
            if known is None:
                missing = uniforms[:, 2] < tf.sigmoid(gaps[:, place])
                may_be = tf.gather(self.likelihood.may_be_missing, place)
                value = tf.where(may_be & missing, -1.0, value)
            else:
                here = tf.where(places == place, known, -1.0)
                log_probs = self.likelihood.log_probs(parameters, here)
                log_weight += tf.reduce_sum(log_probs, axis=1)
                value = tf.where(known[:, place] >= 0, known[:, place], value)
            x = tf.where(places == place, value[:, None], x)
            return place + 1, tf.ensure_shape(x, [None, count]), log_weight

        state = (0, tf.ensure_shape(start, [None, count]), tf.zeros(tf.shape(noise)[:1]))
        return tf.while_loop(lambda place, *_: place < count, step, state)[1:]

    @for_users
    def sample(self, n: int, seed: int | None = None, batch_size: int = 1024, **conditions):
        """Samples rows, as a DataFrame if the columns come from a DataFrame; otherwise, as a dict.

        A dict contains one array per column. Words, booleans, decimal places, dtypes, and the
        fraction of gaps are as in the training rows. Numbers are between the smallest and the
        largest training value in their cell.

        Args:
            n: Number of rows, at least 1.
            seed: Seed, 0 to 2**31 - 1. Equal seeds yield equal rows. If None, rows differ each
                time.
            batch_size: Number of rows computed at once.
            **conditions: Not supported; `complete` samples rows with some given values.

        Raises:
            TypeError: If a number is not an integer, or if a condition is given.
            ValueError: If `n` or `batch_size` is below 1, or if the seed is out of range.
        """
        return in_frame(self.columns, sample_rows(self, n, seed, batch_size, **conditions))

    # Gaps ------------------------------------------------------------------------------------

    @for_users
    def impute(self, rows):
        """Fills gaps with the most likely word, or with the mean, rounded like its column.

        Means minimize the squared error; medians would minimize the absolute error. Known values
        are unchanged.

        Args:
            rows: A DataFrame, a dict of columns, the path of a CSV file, or strings `[n, columns]`.

        Returns:
            All rows, in the format of `sample`; rows of a DataFrame keep their index.

        Raises:
            ValueError: If columns are missing or unknown, or if a value is unknown to the model.
        """
        return self._filled(rows, self.expected)

    @for_users
    def complete(self, rows, seed: int | None = None):
        """Samples values for gaps, given all known values of a row.

        Calls with different seeds yield multiple imputations. To sample conditionally, pass rows in
        which only the values to condition on are known.

        Args:
            rows: See `impute`.
            seed: Seed, 0 to 2**31 - 1. Equal seeds yield equal rows. If None, values differ each
                time.

        Returns:
            All rows; see `impute`.

        Raises:
            ValueError: If the seed is out of range; see also `impute`.
        """
        random = np.random.default_rng(None if seed is None else checked_seed(seed))

        def drawn(texts):
            return self.fill(texts, random.integers(2**31 - 1, size=len(texts), dtype=np.int32))

        return self._filled(rows, drawn)

    def _filled(self, rows, fill):
        """Returns rows with gaps filled by a function, which is applied only to rows with gaps."""
        edge = self.edges["x"]
        texts = edge.as_array(rows.numpy() if tf.is_tensor(rows) else rows)
        # Unknown words can be gaps too.
        gaps = edge.prepare(texts).numpy() < 0
        some = gaps.any(axis=1)
        texts = np.array(texts, object)
        if some.any():
            texts[gaps] = fill(texts[some].astype(str))[gaps[some]]
        table = in_frame(self.columns, texts.astype(str))
        if is_table(rows) and is_table(table):
            table.index = rows.index
        return table

    @capability
    def expected(self, x):
        """Returns rows, strings `[n, columns]`, with the most likely word or the mean in gaps."""
        if self.any_order:
            parameters, _ = self.likelihood.split(self.network(x, training=False))
            every = enumerate(tf.unstack(parameters, axis=1))
            parts = [self.likelihood.probabilities(place, each) for place, each in every]
        else:
            shape = [DRAWS, *self.edges["x"].inner_spec().shape[1:], PLACE + 1]
            noise = tf.random.stateless_uniform(shape, [0, 0])
            noise = tf.repeat(noise[None], tf.shape(x)[0], axis=0)
            cells, log_weights = self._weighted(x, noise)
            weights = tf.nn.softmax(log_weights)
            parts = []
            for place, column in enumerate(self.columns):
                one_hot = tf.one_hot(tf.cast(cells[..., place], tf.int32), len(column.shares))
                parts.append(tf.einsum("nk,nkc->nc", weights, one_hot))
        pairs = zip(self.columns, parts, strict=True)
        filled = tf.stack([likeliest(column, each) for column, each in pairs], axis=1)
        return {"values": tf.where(x < 0, filled, self.edges["x"].restore(x))}

    @capability
    def fill(self, x, seeds):
        """Returns rows, strings `[n, columns]`, whose gaps are sampled, given all known values.

        The noise of each row is determined by its seed, an integer.
        """
        shape = [len(self.columns), PLACE + 1]
        if self.any_order:
            noise = seeded(tf.random.stateless_uniform, seeds, shape)
            return {"x": self._drawn(noise, x)[0]}
        noise = seeded(tf.random.stateless_uniform, seeds, [DRAWS, *shape])
        cells, log_weights = self._weighted(x, noise)
        uniform = seeded(tf.random.stateless_uniform, seeds, [1], step=1)
        chosen = drawn_outcome(log_weights, uniform)
        return {"x": tf.gather(cells, chosen, batch_dims=1)}

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
        """Network evaluations per example, by signature."""
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
        count = len(self.columns)
        expected = (count, count * self.likelihood.params_per_value)
        found = (*self.network.input_shape[1:], *self.network.output_shape[1:])
        if found != expected:
            raise ValueError(
                f"The network has the input and output sizes {found}: expected {expected} for "
                f"{count} columns. Build it with keras_gen.networks.table_made."
            )
        if not self.any_order:
            require_causal(self.network, 2)
        self.edges["x"] = Rows(self.columns)
        self.edges["seeds"] = Seeds()
        # The signatures read the tables of words in addition to the network.
        self.resources = [self.edges["x"].cells]
