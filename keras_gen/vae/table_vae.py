"""The variational autoencoder for tables."""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from typing_extensions import override

from keras_gen.arguments import checked_array, checked_seed, shown
from keras_gen.core import SCORE_SAMPLES, for_users
from keras_gen.core.noise import folded, seeded
from keras_gen.data.transforms.cells import require_cells
from keras_gen.data.transforms.tables import Column
from keras_gen.declared import Count, DeclaredLayer, argument, fixed
from keras_gen.losses import kl_standard_normal
from keras_gen.losses.divergences import importance_weighted_nats
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
from keras_gen.vae.vae import VAE

_LARGEST_LATENT = 1e15  # maximum magnitude of a latent, whose square is finite in float32
_MOST_WEIGHTS = 2**28  # maximum number of values in the covariances of a prior


@keras.saving.register_keras_serializable("keras_gen")
class TableVAE(VAE):
    """A VAE for the rows of a table, which may contain words, numbers, and gaps.

    Nazábal, Olmos, Ghahramani, Valera: "Handling Incomplete Heterogeneous Data using VAEs", Pattern
    Recognition 107, 2020. Given the latents, each column has its own likelihood. Gaps contribute
    neither to the encoder's input nor to the likelihood of the values. Each word and each interval
    of numbers is a cell (see `table_columns`). The probability of a number is the mass of a mixture
    of logistic densities in its cell, so likelihoods can be compared with the likelihoods of other
    models of the same cells.

    `score` and `log_prob` return the bound of an `IWAE` with 16 latent samples. `reconstruct` and
    `decode` return the most likely words and the medians of numbers. `impute` and `complete` use 64
    latent samples for each row, weighted by the probability of the row's known values.

    `fit`, `log_prob`, `impute`, and `complete` accept a DataFrame, a dict of columns, the path of a
    CSV file, or strings `[n, columns]`. A missing value contributes only to `gap_loss`, which
    teaches the model where values are missing, so that samples also have gaps.

    Deviations: there is one layer of latents. Until `fit_prior` is called, the prior of the latents
    is standard normal, instead of a mixture that is learned together with the networks. The
    likelihoods of numbers also differ.

    Args:
        encoder: Network that maps cells `[batch, columns]`, with -1 where a value is missing, to
            the mean and log variance of q(z|x), each `[batch, latents]`.
        decoder: Network that maps latents `[batch, latents]` to the parameters of a
            `CellLikelihood`. `keras_gen.networks.table_networks` builds both networks.
        columns: Columns with cells, as returned by `keras_gen.data.table_columns`.
        beta: Weight of the KL divergence, a number or a schedule.
        components: Number of normal distributions in the prior that `fit_prior` fits.
        seed: Seed for the noise of the latents.

    Raises:
        ValueError: If the networks do not match the columns, or if the encoder's latents do not
            match the decoder's input.

    Example:
    ```python
    from keras_gen import VAE
    from keras_gen.data import table_columns
    people = {"age": [39, 50, 28, 41], "work": ["farm", "city", None, "city"]}
    model = VAE.for_table(table_columns(people), latent_dim=2, hidden=(8,), components=2)
    model.compile()
    model.fit(people, batch_size=4)
    model.fit_prior(people)
    codes, others = model.encode(people)[0], model.sample(9, seed=1)
    ```
    """

    default_signature = "sample"
    no_builders = "is for tables: use VAE.for_table."
    impute = impute
    complete = complete
    expected = expected
    fill = fill

    likelihood: Any = fixed(None)  # created from the columns
    columns: Sequence[Column] = argument(
        check=lambda _, value: require_cells(value), kw_only=True
    )
    components: Count = 20

    @override
    def elbo_terms(self, x, inferred):
        latents, posterior = inferred
        parameters, gap_logits = self.likelihood.split(self.decoded(latents))
        log_probs = self.likelihood.log_probs(parameters, x)
        # The log ratio of the fitted prior to the standard normal prior is estimated with one
        # sample. It is 0 before `fit_prior`.
        kl = kl_standard_normal(*posterior) - self.prior.log_ratio(latents)
        terms = {"reconstruction": -tf.reduce_sum(log_probs, axis=1), "kl": kl}
        return terms | self.likelihood.gap_terms(x, gap_logits)

    @override
    def loss_weights(self):
        return super().loss_weights() | self.likelihood.gap_weights

    @override
    def latent_ratio(self, inferred):
        return super().latent_ratio(inferred) + self.prior.log_ratio(inferred.latents)

    @override
    def nats(self, x):
        # Seeds are computed from cell numbers, so that neither the result nor the noise depends on
        # the positions of values in their cells.
        seeds = self.score_seeds(tf.floor(x))
        return importance_weighted_nats(self.log_weights(x, SCORE_SAMPLES, seeds))

    @for_users
    def fit_prior(self, rows, seed: int = 0) -> None:
        """Fits the prior, a mixture of normal distributions, with EM to the latents of rows.

        Call this method after `fit`, with the training rows, so that samples resemble these rows
        more closely; see `MixturePrior`. All later results and further training use this prior.

        Args:
            rows: A DataFrame, a dict of columns, the path of a CSV file, or strings `[n, columns]`,
                with at least as many rows as `components`.
            seed: Seed for the latents and for the initial means of the mixture.

        Raises:
            ValueError: If there are fewer rows than components, or if rows do not match the
                columns.
        """
        random = np.random.default_rng(checked_seed(seed))
        mean, log_variance = self.encode(rows)
        noise = random.normal(size=mean.shape)
        self.prior.fit(mean + np.exp(0.5 * log_variance) * noise, seed)

    # Samples and gaps ------------------------------------------------------------------------

    @override
    def noise(self, n, key):
        """Samples noise for the latents, for the choice of a prior component, and for values."""
        values = [n, *self.likelihood.noise_shape]
        return {
            "latents": tf.random.stateless_normal([n, self.latent_dim], key),
            "component": tf.random.stateless_uniform([n, 1], folded(key, 1)),
            "values": tf.random.stateless_uniform(values, folded(key, 2)),
        }

    @override
    def example_of(self, noise, *given):
        """Returns rows `[n, columns]` sampled from p(x|z), as cells with positions in the cells."""
        latents = self.prior.latents(noise["latents"], noise["component"])
        return self.likelihood.draw_rows(self.decoded(latents), noise["values"])

    def probabilities(self, x) -> list[tf.Tensor]:
        """Returns each column's cell probabilities `[n, cells]`, given the known values."""
        outputs, log_weights = self._weighted(x, self.score_seeds(tf.floor(x)))
        weights = tf.nn.softmax(log_weights, axis=0)
        parts = []
        for place, each in enumerate(tf.unstack(self.likelihood.split(outputs)[0], axis=2)):
            p = self.likelihood.probabilities(place, each)
            parts.append(tf.einsum("kn,knc->nc", weights, p))
        return parts

    def completed(self, x, seeds) -> tf.Tensor:
        """Returns rows `[n, columns]` with sampled values in their gaps, using one seed per row."""
        pairs = tf.cast(tf.stack([seeds, tf.zeros_like(seeds)], axis=1), tf.int64)
        outputs, log_weights = self._weighted(x, pairs)
        uniform = seeded(tf.random.stateless_uniform, seeds, [1], step=1)
        chosen = drawn_outcome(tf.transpose(log_weights), uniform)
        outputs = tf.gather(tf.transpose(outputs, [1, 0, 2]), chosen, batch_dims=1)
        uniforms = seeded(
            tf.random.stateless_uniform, seeds, self.likelihood.noise_shape, step=2
        )
        return tf.where(x < 0, self.likelihood.draw_rows(outputs, uniforms, gaps=False), x)

    def _weighted(self, x, seeds):
        """Returns the outputs for latents given rows, `[draws, n, ...]`, and their log weights."""
        inferred = self.drawn(self.encoded(x), seeds, DRAWS)
        outputs = self.decoded(tf.reshape(inferred.latents, [-1, self.latent_dim]))
        outputs = tf.reshape(outputs, [DRAWS, -1, outputs.shape[-1]])
        return outputs, self.likelihood.log_prob(outputs, x) + self.latent_ratio(inferred)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        self.likelihood = CellLikelihood(self.columns)
        super().set_up()
        shapes = self.encoder.input_shape[1:], self.decoder.output_shape[1:]
        set_up_rows(self, *shapes, "table_networks")
        self.prior = MixturePrior(self.latent_dim, self.components, name="prior")


class MixturePrior(DeclaredLayer):
    """A prior for latents: a standard normal distribution before `fit`, then a Gaussian mixture.

    Ghosh, Sajjadi, Vergari, Black, Schölkopf: "From Variational to Deterministic Autoencoders",
    ICLR 2020, sec. 4. After training, a mixture of normal distributions with full covariances is
    fitted to the latents of the training examples, which do not follow the standard normal prior.

    Args:
        latent_dim: Number of latent dimensions.
        components: Number of normal distributions in the mixture.
    """

    options = {"trainable": False, "dtype": "float32", "autocast": False}

    latent_dim: Count
    components: Count = 20

    @override
    def set_up(self):
        count = self.components
        size = self.latent_dim
        if count * size**2 > _MOST_WEIGHTS:
            raise ValueError(
                f"latent_dim is {size}: expected at most {math.isqrt(_MOST_WEIGHTS // count)} for "
                f"{count} components, whose covariances must fit in memory."
            )
        self.log_shares = self.add_weight(name="log_shares", shape=(count,), initializer="zeros")
        self.means = self.add_weight(name="means", shape=(count, size), initializer="zeros")
        # Matrices that map centered latents to standard normal latents, and the log-determinants of
        # these matrices.
        self.whitening = self.add_weight(
            name="whitening",
            shape=(count, size, size),
            initializer=lambda shape, dtype: tf.eye(size, batch_shape=[count], dtype=dtype),
        )
        self.log_determinants = self.add_weight(
            name="log_determinants", shape=(count,), initializer="zeros"
        )
        self.built = True

    def log_ratio(self, latents: tf.Tensor) -> tf.Tensor:
        """Returns log p(z) - log N(z; 0, 1) in nats, `[...]`, for latents `[..., latent_dim]`."""
        centered = latents[..., None, :] - self.means
        white = tf.einsum("...ki,kij->...kj", centered, self.whitening)
        log_shares = tf.nn.log_softmax(self.log_shares) + self.log_determinants
        log_parts = log_shares - 0.5 * tf.reduce_sum(tf.square(white), axis=-1)
        squares = 0.5 * tf.reduce_sum(tf.square(latents), axis=-1)
        return tf.reduce_logsumexp(log_parts, axis=-1) + squares

    def latents(self, normal: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
        """Returns latents for normal noise `[n, latent_dim]` and uniform noise `[n, 1]`."""
        component = drawn_outcome(self.log_shares[None], uniform)
        whitening = tf.gather(self.whitening, component)
        solved = tf.linalg.triangular_solve(
            whitening, normal[..., None], lower=False, adjoint=True
        )
        return tf.gather(self.means, component) + solved[..., 0]

    def fit(self, latents: np.ndarray, seed: int = 0) -> None:
        """Fits the mixture with EM to latents `[n, latent_dim]`, at least one per component.

        Raises:
            ValueError: If the shape or dtype is wrong, if there are fewer latents than components,
                or if a latent is not finite or is at least 1e15 in absolute value.
        """
        latents = checked_array("latents", latents)
        if latents.dtype.kind not in "fiu" or latents.shape[1:] != (self.latent_dim,):
            raise ValueError(
                f"latents is {shown(latents)}: expected numbers [n, {self.latent_dim}]."
            )
        wrong = ~(np.abs(latents) < _LARGEST_LATENT).all(axis=1)  # also true for NaN
        if len(latents) < self.components or wrong.any():
            raise ValueError(
                f"The prior has {self.components} components for {len(latents)} rows, and the "
                f"number of rows with NaN or too large latents is {wrong.sum()}: expected at least "
                f"as many rows as components, and absolute values below {_LARGEST_LATENT:g}."
            )
        mixture = GaussianMixture(
            self.components, reg_covar=1e-3, random_state=checked_seed(seed)
        )
        with warnings.catch_warnings():
            # Convergence warnings are hidden, because more iterations change the density only
            # slightly.
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture.fit(latents)
        whitening = mixture.precisions_cholesky_
        diagonals = np.diagonal(whitening, axis1=1, axis2=2)
        self.log_shares.assign(np.log(np.maximum(mixture.weights_, 1e-30)))
        self.means.assign(mixture.means_)
        self.whitening.assign(whitening)
        self.log_determinants.assign(np.log(diagonals).sum(axis=1))
