"""VQ-VAE-2's loss and gradients, of linear networks, against algorithm 1 written out in numpy."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gen.losses import Normal
from keras_gen.networks import vq_vae_2_networks
from keras_gen.vae import VQVAE2
from shared import losses_of

DATA, FEATURES, DIM, SCALE, BETA, RATE = 5, 4, 2, 0.5, 0.7, 0.02
both_updates = pytest.mark.parametrize("update", ["average", "loss"])


@pytest.fixture
def weights(rng):
    """Kernel and bias of: features, top latents, bottom latents, data."""
    sizes = [(DATA, FEATURES), (FEATURES, DIM), (FEATURES + DIM, DIM), (2 * DIM, DATA)]
    return [(rng.normal(0, 0.6, size), rng.normal(0, 0.1, size[1])) for size in sizes]


@pytest.fixture
def books(rng):
    """Codebooks of top and bottom."""
    return rng.normal(0, 0.6, (4, DIM)), rng.normal(0, 0.6, (4, DIM))


@pytest.fixture
def x(rng):
    return rng.uniform(-1, 1, (12, DATA)).astype("float32")


def vq_vae_2(weights, books, rate=0.0, dim=DIM, **options):
    x, below, top, bottom = (keras.Input((size,)) for size in (DATA, FEATURES, DIM, dim))
    features = layers.Dense(FEATURES)(x)
    joined, both = layers.Concatenate()([below, top]), layers.Concatenate()([bottom, top])
    networks = [
        keras.Model(x, [features, layers.Dense(DIM)(features)]),
        keras.Model([below, top], layers.Dense(DIM)(joined)),
        keras.Model([bottom, top], layers.Dense(DATA)(both)),
    ]
    options = dict(commitment_weight=BETA, dead_after=None, codebook_size=4) | options
    model = VQVAE2(*networks, likelihood=Normal(scale=SCALE), **options)
    flat = [np.float32(part) for pair in weights for part in pair]
    for network, part in zip(networks, (flat[:4], flat[4:6], flat[6:]), strict=True):
        network.set_weights(part)
    for quantizer, book in zip((model.top_quantizer, model.quantizer), books, strict=True):
        quantizer.codebook.assign(book)
        if quantizer.update == "average":
            quantizer.sums.assign(book * quantizer.counts.numpy()[:, None])
    model.compile(keras.optimizers.SGD(rate))
    return model


def quantize(latents, book):
    """Codes and indices, one example after the other."""
    found = [min(range(len(book)), key=lambda k: ((z - book[k]) ** 2).sum()) for z in latents]
    return book[found], np.array(found)


def algorithm_1(weights, books, x):
    """All that it computes, by name."""
    (A, a), (T, t), (B, b), (W, w) = weights
    features = x @ A + a
    h_top = features @ T + t
    e_top, top = quantize(h_top, books[0])
    h_bottom = np.c_[features, e_top] @ B + b
    e_bottom, bottom = quantize(h_bottom, books[1])
    outputs = np.c_[e_bottom, e_top] @ W + w
    return dict(
        features=features, h_top=h_top, e_top=e_top, top=top, h_bottom=h_bottom,
        e_bottom=e_bottom, bottom=bottom, outputs=outputs,
    )  # fmt: skip


def perplexity(indices):
    used = np.bincount(indices)[np.unique(indices)] / len(indices)
    return np.exp(-np.sum(used * np.log(used)))


@both_updates
def test_the_loss_is_that_of_algorithm_1(update, weights, books, x):
    found = algorithm_1(weights, books, x)
    nats = 0.5 * ((x - found["outputs"]) / SCALE) ** 2 + np.log(SCALE * np.sqrt(2 * np.pi))
    reconstruction = nats.sum(axis=1).mean()
    distances = [((found[f"h_{n}"] - found[f"e_{n}"]) ** 2).sum(axis=1) for n in ("top", "bottom")]
    commitment = sum(distances).mean()
    assert min(d.mean() for d in distances) > 0.05
    expected = {
        "loss": reconstruction + BETA * commitment,
        "reconstruction_loss": reconstruction,
        "commitment_loss": commitment,
        "perplexity": perplexity(found["bottom"]),
        "perplexity_top": perplexity(found["top"]),
    }
    if update == "loss":
        expected |= {"loss": expected["loss"] + commitment, "codebook_loss": commitment}
    assert len({round(expected[name], 3) for name in expected}) == len(expected) - (
        update == "loss"
    )
    model = vq_vae_2(weights, books, codebook_update=update)
    assert losses_of(model, x) == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(model.score(x), nats.sum(axis=1), rtol=1e-4)


@both_updates
def test_gradients_pass_straight_through_both_levels(update, weights, books, x):
    """The slopes by a code, from decoder and bottom encoder, are those of its latents."""
    f = algorithm_1(weights, books, x)
    _, (T, _), (B, _), (W, _) = weights
    n = len(x)
    by_output = (f["outputs"] - x) / SCALE**2 / n
    pulls = {name: 2 * (f[f"h_{name}"] - f[f"e_{name}"]) / n for name in ("top", "bottom")}
    by_bottom = by_output @ W.T[:, :DIM] + BETA * pulls["bottom"]
    by_input = by_bottom @ B.T  # features, then the top's codes
    by_top = by_output @ W.T[:, DIM:] + by_input[:, FEATURES:] + BETA * pulls["top"]
    by_features = by_input[:, :FEATURES] + by_top @ T.T
    inputs = (x, f["features"], np.c_[f["features"], f["e_top"]], np.c_[f["e_bottom"], f["e_top"]])
    model = vq_vae_2(weights, books, RATE, codebook_update=update)
    losses_of(model, x, training=True)
    networks = (model.top_encoder, model.encoder, model.decoder)
    after = iter([w for network in networks for w in network.get_weights()])
    slopes = (by_features, by_top, by_bottom, by_output)
    for (kernel, bias), values, slope in zip(weights, inputs, slopes, strict=True):
        np.testing.assert_allclose(next(after), kernel - RATE * values.T @ slope, atol=1e-5)
        np.testing.assert_allclose(next(after), bias - RATE * slope.sum(axis=0), atol=1e-5)
    # No part is nothing.
    for part in (by_output @ W.T[:, DIM:], by_input[:, FEATURES:], pulls["top"]):
        assert np.abs(f["features"].T @ part).max() > 1e-2
    if update == "loss":
        for quantizer, name, book in zip(
            (model.top_quantizer, model.quantizer), ("top", "bottom"), books, strict=True
        ):
            moved = np.eye(4)[f[name]].T @ pulls[name]
            np.testing.assert_allclose(quantizer.codebook, book + RATE * moved, atol=1e-6)


def test_both_codebooks_follow_their_latents(weights, books, x):
    model = vq_vae_2(weights, books, decay=0.9)
    found = algorithm_1(weights, books, x)
    losses_of(model, x, training=True)
    for quantizer, name, book in zip(
        (model.top_quantizer, model.quantizer), ("top", "bottom"), books, strict=True
    ):
        chosen = np.eye(4)[found[name]]
        counts = 0.9 + 0.1 * chosen.sum(axis=0)
        sums = 0.9 * book + 0.1 * chosen.T @ found[f"h_{name}"]
        np.testing.assert_allclose(quantizer.counts, counts, rtol=1e-5)
        np.testing.assert_allclose(quantizer.codebook, sums / counts[:, None], rtol=1e-3, atol=1e-5)


@pytest.mark.thorough
def test_codes_there_and_back(weights, books, x):
    found = algorithm_1(weights, books, x)
    model = vq_vae_2(weights, books)
    top, bottom = model.encode(x)
    np.testing.assert_array_equal(top, found["top"])
    np.testing.assert_array_equal(bottom, found["bottom"])
    np.testing.assert_allclose(model.reconstruct(x), found["outputs"], rtol=1e-4, atol=1e-5)
    levels = np.clip(np.round((found["outputs"] + 1) * 127.5), 0, 255)
    np.testing.assert_array_equal(model.decode(top, bottom), levels)
    with pytest.raises(ValueError, match=r"Top range from 0 to 4: expected integers in"):
        model.decode(top * 0 + np.arange(12) % 5, bottom)


def test_grids_of_an_image():
    """The bottom has a quarter of the sides, the top half of those."""
    networks = vq_vae_2_networks((16, 24, 3), latent_dim=3, filters=4, residual_filters=2, blocks=1)
    model = VQVAE2(**networks, codebook_size=300)
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 24, 3), "uint8")
    top, bottom = model.encode(images)
    assert top.shape == (3, 2, 3) and bottom.shape == (3, 4, 6)
    assert top.dtype == bottom.dtype == np.int32
    np.testing.assert_array_equal(model.decode(top, bottom), model.reconstruct(images))
