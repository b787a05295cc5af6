"""VAE of tables against quadrature, closed forms, and probabilities counted by hand."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from scipy.special import expit
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

from keras_gen import IWAE, VAE, TableVAE
from keras_gen.data import table_columns
from keras_gen.losses.likelihoods.cells import CellLikelihood
from keras_gen.networks import table_networks
from keras_gen.vae.table_vae import MixturePrior
from shared import eagerly

FRAME = pd.DataFrame(
    {
        "age": pd.Series([39, 50, 28, 41] * 5, dtype="int16"),
        "work": ["farm", "city", None, "city"] * 5,
        "old": [False, True, False, True] * 5,
        "pay": [1.5, 2.25, np.nan, 1.5] * 5,
    }
)
COLUMNS = table_columns(FRAME)
SMALL = dict(latent_dim=1, hidden=(4,), components=2)
# Slopes and offsets of the logits of two columns of booleans, given one latent.
SLOPES, OFFSETS = np.array([1.5, -2.0]), np.array([0.3, -0.5])


def entropy(*shares):
    return -np.sum(np.multiply(shares, np.log(shares)))


def moved(model, rng, size=0.5):
    for weight in model.trainable_variables:
        weight.assign(rng.normal(0, size, weight.shape))
    return model


def booleans():
    """A VAE of two booleans, p(x_j|z) = sigmoid(a_j z + b_j), and q(z|x) = N(0, e)."""
    columns = table_columns({"a": [True, False], "b": [True, False]})
    model = VAE.for_table(columns, latent_dim=1, hidden=(), components=2)
    width = model.likelihood.params_per_value
    kernel, bias = np.zeros([1, 2 * width]), np.zeros(2 * width)
    kernel[0, [1, 1 + width]], bias[[1, 1 + width]] = SLOPES, OFFSETS
    model.decoder.set_weights([kernel, bias])
    for weight in model.encoder.weights:
        weight.assign(tf.zeros_like(weight))
    model.encoder.layers[-1].bias.assign([1.0])  # of the log variance
    return model


def probabilities(density):
    """p of each pair of booleans by quadrature over the latent."""
    z = np.linspace(-12, 12, 20001)
    on = expit(SLOPES[:, None] * z + OFFSETS[:, None])
    each = [np.where(k, on[j], 1 - on[j]) for j in (0, 1) for k in (0, 1)]
    weights = density(z) * (z[1] - z[0])
    return np.array([[(each[i] * each[2 + j] * weights).sum() for j in (0, 1)] for i in (0, 1)])


def mean_weights(model, rows):
    """The mean of p(x, z) / q(z|x) over latents of q, which has no bias."""
    log_weights = model.log_weights(tf.constant(rows), 200_000, tf.constant([1, 2], tf.int64))
    return np.exp(log_weights.numpy().astype("float64")).mean(axis=0)


def test_the_first_loss_is_the_entropy_of_the_columns():
    words = FRAME[["old", "work"]]
    model = VAE.for_table(table_columns(words), **SMALL)
    model.compile()
    logs = model.evaluate(words, verbose=0, return_dict=True)
    expected = entropy(0.5, 0.5) + 0.75 * entropy(2 / 3, 1 / 3)
    np.testing.assert_allclose(logs["reconstruction_loss"], expected, rtol=1e-5)
    np.testing.assert_allclose(logs["gap_loss"], entropy(0.25, 0.75), rtol=1e-5)


def test_log_prob_and_gaps_agree_with_quadrature():
    model = booleans()
    exact = probabilities(lambda z: np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi))
    rows = np.array([[i, j] for i in (0, 1) for j in (0, 1)], "float32")
    np.testing.assert_allclose(mean_weights(model, rows), exact.ravel(), rtol=0.02)
    part = np.array([[1, -1]], "float32")
    conditional = exact[1] / exact[1].sum()
    model.score_seeds = lambda x: tf.constant([1, 2], tf.int64)  # one seed for all rows is faster
    p = model.probabilities(tf.constant(np.repeat(part, 1000, axis=0)))[1].numpy()
    np.testing.assert_allclose(p.mean(axis=0), conditional, atol=0.01)
    drawn = model.fill(tf.repeat(part, 1000, axis=0), np.arange(1000, dtype="int32"))
    assert set(drawn[:, 0]) == {"True"}
    np.testing.assert_allclose((drawn[:, 1] == "True").mean(), conditional[1], atol=0.07)


def test_a_fitted_prior_changes_samples_and_scores_alike(rng):
    """All probabilities are integrals over the mixture, also those of samples."""
    model = booleans()
    latents = np.concatenate([rng.normal(-2, 0.5, 600), rng.normal(1, 0.3, 400)])
    model.prior.fit(latents[:, None])
    mixture = GaussianMixture(2, reg_covar=1e-3, random_state=0).fit(latents[:, None])
    exact = probabilities(lambda z: np.exp(mixture.score_samples(z[:, None])))
    samples = model.sample(20000, seed=1)
    both = 2 * samples["a"].astype(int) + samples["b"]
    found = np.bincount(both, minlength=4).reshape(2, 2) / 20000
    np.testing.assert_allclose(found, exact, atol=0.02)
    rows = np.array([[i, j] for i in (0, 1) for j in (0, 1)], "float32")
    np.testing.assert_allclose(mean_weights(model, rows), exact.ravel(), rtol=0.03)


def test_the_prior_is_standard_normal_until_it_is_fitted(rng):
    prior = MixturePrior(2, 3)
    latents = rng.normal(size=(500, 2)).astype("float32")
    np.testing.assert_allclose(prior.log_ratio(latents), np.zeros(500), atol=1e-5)
    uniform = rng.uniform(size=(500, 1)).astype("float32")
    np.testing.assert_allclose(prior.latents(latents, uniform), latents, atol=1e-6)
    data = rng.normal(size=(900, 2)) @ [[1.0, 0.6], [0.0, 0.2]] + [2.0, -1.0]
    data[:300] *= -1
    prior.fit(data, seed=1)
    mixture = GaussianMixture(3, reg_covar=1e-3, random_state=1).fit(data.astype("float32"))
    standard = multivariate_normal(np.zeros(2)).logpdf(latents)
    expected = mixture.score_samples(latents) - standard
    np.testing.assert_allclose(prior.log_ratio(latents), expected, rtol=1e-3, atol=1e-3)
    n = 20000
    noise = rng.normal(size=(n, 2)).astype("float32"), rng.uniform(size=(n, 1)).astype("float32")
    drawn = prior.latents(*noise).numpy()
    np.testing.assert_allclose(drawn.mean(axis=0), data.mean(axis=0), atol=0.06)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(data.T), atol=0.12)


def test_a_gap_counts_nothing(rng):
    model = moved(VAE.for_table(COLUMNS, **SMALL), rng)
    nothing = np.full([3, 4], -1.0, "float32")
    terms = model.log_weights(nothing, 5, tf.constant([1, 2], tf.int64))
    inferred = model.drawn(model.encoded(nothing), tf.constant([1, 2], tf.int64), 5)
    np.testing.assert_allclose(terms, model.latent_ratio(inferred), rtol=1e-6)
    rows = tf.constant([[0.0, -1.0, 1.0, 0.0]])
    known = table_columns(FRAME[["age", "old", "pay"]])
    outputs = model.decoder(tf.zeros([1, 1]))
    parameters, _ = model.likelihood.split(outputs)
    others = CellLikelihood(known).log_probs(
        tf.gather(parameters, [0, 2, 3], axis=1), tf.gather(rows, [0, 2, 3], axis=1)
    )
    np.testing.assert_allclose(
        model.likelihood.log_prob(outputs, rows), tf.reduce_sum(others, axis=1), rtol=1e-6
    )


def test_positions_in_a_cell_do_not_matter(rng):
    model = moved(VAE.for_table(COLUMNS, **SMALL), rng)
    rows = tf.constant([[0.0, 1.0, 1.0, 0.0]])
    np.testing.assert_array_equal(model.log_prob(rows), model.log_prob(rows + 0.5))
    np.testing.assert_array_equal(model.encode(rows)[0], model.encode(rows + 0.5)[0])


def test_reconstructions_are_likely_words_and_medians(rng):
    model = moved(VAE.for_table(COLUMNS, **SMALL), rng)
    outputs = model.decoder(rng.normal(size=(6, 1)).astype("float32"))
    parameters, _ = model.likelihood.split(outputs)
    found = model.likelihood.mean(outputs).numpy()
    for place, column in enumerate(COLUMNS):
        p = model.likelihood.probabilities(place, parameters[:, place]).numpy()
        cells = found[:, place].astype(int)
        below = np.take_along_axis(np.cumsum(p, axis=1) - p, cells[:, None], axis=1)[:, 0]
        mass = np.take_along_axis(p, cells[:, None], axis=1)[:, 0]
        if column.categories:
            np.testing.assert_array_equal(cells, p.argmax(axis=1))
        else:
            position = (found[:, place] - cells) / 0.999
            np.testing.assert_allclose(below + position * mass, 0.5, atol=1e-3)


def test_samples_are_tables_like_the_training_rows():
    model = VAE.for_table(COLUMNS, **SMALL)
    found = model.sample(2000, seed=1)
    assert list(found.columns) == list(FRAME.columns)
    assert found.dtypes.tolist() == FRAME.dtypes.tolist()
    assert set(found["age"]) == {28, 39, 41, 50} and set(found["work"].dropna()) == {"city", "farm"}
    np.testing.assert_allclose(found.isna().mean(), FRAME.isna().mean(), atol=0.04)
    np.testing.assert_allclose((found["work"] == "city").mean(), 0.5, atol=0.04)
    pd.testing.assert_frame_equal(found, model.sample(2000, seed=1, batch_size=300))


def test_tables_are_encoded_filled_and_scored(tmp_path):
    path = tmp_path / "people.csv"
    FRAME.to_csv(path, index=False)
    model = VAE.for_table(COLUMNS, **SMALL)
    model.compile(run_eagerly=True)
    model.fit(FRAME, batch_size=10, verbose=0)
    with eagerly():
        model.fit_prior(path, seed=1)
        codes, log_variances = model.encode(FRAME)
        assert codes.shape == log_variances.shape == (20, 1)
        np.testing.assert_array_equal(model.log_prob(path), model.log_prob(FRAME))
        for rows in (model.reconstruct(FRAME), model.decode(codes)):
            assert rows.dtypes.to_dict() == FRAME.dtypes.to_dict() and len(rows) == 20
        path_of_rows = model.interpolate(FRAME[:3], FRAME[3:6], steps=2)
        assert path_of_rows.shape == (3, 2, 4) and path_of_rows.dtype.kind in "UO"
        part = FRAME[2:7]
        assert model.reconstruct(part).index.tolist() == part.index.tolist()
        for full in (model.impute(part), model.complete(part, seed=1)):
            assert full.index.tolist() == part.index.tolist()
            assert full.dtypes.tolist() == part.dtypes.tolist() and not full.isna().any(axis=None)
            known = part.notna()
            assert (full.where(known, 0).astype(str) == part.where(known, 0).astype(str)).all(
                axis=None
            )


def test_refusals_name_the_way_out():
    with pytest.raises(TypeError, match=r"IWAE is not for tables: use VAE\.for_table"):
        IWAE.for_table(COLUMNS)
    with pytest.raises(TypeError, match=r"TableVAE is for tables: use VAE\.for_table"):
        TableVAE.for_vectors(4)
    encoder, decoder = table_networks(COLUMNS, 2, (4,))
    with pytest.raises(ValueError, match=r"input and output sizes .* Build it with"):
        TableVAE(encoder, decoder, COLUMNS[:3])
    model = TableVAE(encoder, decoder, COLUMNS, components=9)
    with pytest.raises(ValueError, match=r"has 9 components for 4 rows.* at least as many rows"):
        model.fit_prior(FRAME[:4])
    for sentence, latents in {
        "array of shape .9,.": np.zeros(9),
        "dtype complex128": np.zeros([9, 2], "complex"),
        "None": None,
        "NaN or too large latents is 9": np.full([9, 2], np.nan),
        "too large latents is 9": np.full([9, 2], 1e30),
    }.items():
        with pytest.raises(ValueError, match=rf"{sentence}.*: expected"):
            model.prior.fit(latents)
    with pytest.raises(ValueError, match=r"^latent_dim is 1000000: expected at most 3663 for 20"):
        MixturePrior(10**6)
    with pytest.raises(ValueError, match="column work has the category sea"):
        model.fit_prior(FRAME.assign(work="sea"))
