"""The parts of the KL divergence and the covariance penalties against closed forms and numpy."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import special, stats

from keras_gen.losses import decomposed_kl, dip_penalties, kl_standard_normal, permuted_dimensions

SEED = tf.constant([5, 0], tf.int64)
DRAWS = 400
PARTS = ["mutual_information", "total_correlation", "dimension_kl"]
compiled_kl = tf.function(decomposed_kl, autograph=False)  # for many calls


@pytest.fixture
def posterior(rng):
    """Means and log variances of 30 examples, of correlated latents, and a draw of each."""
    mean = rng.normal(size=(30, 3)) @ np.array([[1.0, 0.8, 0.0], [0.0, 0.6, 0.0], [0.0, 0.0, 1.2]])
    log_variance = rng.normal(-1, 0.3, size=(30, 3))
    draws = mean + np.exp(log_variance / 2) * rng.normal(size=(DRAWS, 30, 3))
    return [v.astype("float32") for v in (mean, log_variance, draws)]


def exact(mean, log_variance, z):
    """log q(z) and sum_j log q(z_j) of the mixture over all examples, in numpy."""
    normal = stats.norm(mean, np.exp(log_variance / 2))
    each = normal.logpdf(z[:, None])  # [draw, example, latent]
    joint = special.logsumexp(each.sum(axis=2), axis=1) - np.log(len(mean))
    return joint, (special.logsumexp(each, axis=1) - np.log(len(mean))).sum(axis=1)


@pytest.mark.thorough
@pytest.mark.parametrize("stratified", [False, True])
def test_the_parts_add_up_to_the_divergence(stratified, posterior):
    mean, log_variance, draws = posterior
    totals = []
    for z in draws:
        parts = compiled_kl(z, mean, log_variance, 1000, stratified)
        assert list(parts) == PARTS and all(part.shape == (30,) for part in parts.values())
        totals.append(sum(parts.values()).numpy())
        sd = np.exp(log_variance / 2)
        ratio = stats.norm.logpdf(z, mean, sd) - stats.norm.logpdf(z)
        np.testing.assert_allclose(totals[-1], ratio.sum(axis=1), atol=1e-4)
    error = np.std(totals, axis=0) / DRAWS**0.5
    kl = kl_standard_normal(mean, log_variance).numpy()
    assert (np.abs(np.mean(totals, axis=0) - kl) < 4.5 * error).all()


def test_stratified_over_the_whole_data_set_is_exact(posterior):
    mean, log_variance, (z, *_) = posterior
    parts = decomposed_kl(z, mean, log_variance, len(mean), stratified=True)
    joint, marginals = exact(mean, log_variance, z)
    conditional = stats.norm.logpdf(z, mean, np.exp(log_variance / 2)).sum(axis=1)
    expected = (
        conditional - joint,
        joint - marginals,
        marginals - stats.norm.logpdf(z).sum(axis=1),
    )
    for name, value in zip(PARTS, expected, strict=True):
        np.testing.assert_allclose(parts[name], value, atol=1e-4, err_msg=name)


@pytest.mark.thorough
def test_stratified_weights_have_no_bias(posterior, rng):
    """The mean of q(z) over batches of other examples is that over all of them."""
    mean, log_variance, (z, *_) = posterior
    joint, _ = exact(mean, log_variance, z[:1])
    found = []
    for _ in range(DRAWS):
        rows = [0, *rng.choice(np.arange(1, 30), 5, replace=False)]
        batch = z[rows], mean[rows], log_variance[rows]
        parts = compiled_kl(*batch, dataset_size=30, stratified=True)
        conditional = stats.norm.logpdf(z[0], mean[0], np.exp(log_variance[0] / 2)).sum()
        found.append(np.exp(conditional - parts["mutual_information"][0]))
    error = np.std(found) / DRAWS**0.5
    assert abs(np.mean(found) - np.exp(joint[0])) < 4 * error


def test_weighted_sampling_is_equation_3(posterior):
    mean, log_variance, (z, *_) = posterior
    joint, marginals = exact(mean, log_variance, z)
    parts = decomposed_kl(z, mean, log_variance, dataset_size=300)
    # Each of the 30 counts 1 / (30 * 300) in place of 1 / 30.
    difference = -np.log(300)
    conditional = stats.norm.logpdf(z, mean, np.exp(log_variance / 2)).sum(axis=1)
    information = conditional - joint - difference
    np.testing.assert_allclose(parts["mutual_information"], information, atol=1e-4)
    total = joint - marginals + difference - 3 * difference
    np.testing.assert_allclose(parts["total_correlation"], total, atol=1e-4)


def test_dip_penalties_by_hand(rng):
    mean, log_variance = rng.normal(size=(2, 7, 3))
    covariance = np.cov(mean.T, bias=True)
    for more in (0, np.diag(np.exp(log_variance).mean(axis=0))):
        total = covariance + more
        parts = dip_penalties(mean, log_variance if np.ndim(more) else None)
        off = (total**2).sum() - (np.diag(total) ** 2).sum()
        np.testing.assert_allclose(parts["off_diagonal"], np.full(7, off), rtol=1e-4)
        diagonal = ((np.diag(total) - 1) ** 2).sum()
        np.testing.assert_allclose(parts["diagonal"], np.full(7, diagonal), rtol=1e-4)


def test_permuted_dimensions_keep_marginals_and_break_dependence(rng):
    latents = np.repeat(rng.normal(size=(500, 1)), 3, axis=1).astype("float32")
    permuted = permuted_dimensions(latents, SEED).numpy()
    np.testing.assert_array_equal(np.sort(permuted, axis=0), np.sort(latents, axis=0))
    assert np.abs(np.corrcoef(permuted.T) - np.eye(3)).max() < 0.15
    np.testing.assert_array_equal(permuted, permuted_dimensions(latents, SEED))
    assert (permuted != permuted_dimensions(latents, SEED + 1).numpy()).any()
