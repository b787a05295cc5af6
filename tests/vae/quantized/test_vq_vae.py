"""VQ-VAE's eq. (3) and its gradient against numpy, for a linear encoder and decoder."""

import keras
import numpy as np
import pytest

from keras_gen.core import NonFiniteLossError
from keras_gen.losses import Normal
from keras_gen.vae import VQVAE
from shared import losses_of

DATA, DIM, SCALE, BETA, DECAY, RATE = 4, 2, 0.5, 0.7, 0.9, 0.02
# One in each quadrant, where latents are; and one that is far from all.
CODEBOOK = np.array([[0.5, 0.5], [-0.5, 0.6], [-0.4, -0.6], [0.6, -0.5], [9.0, 9.0]])
both_updates = pytest.mark.parametrize("update", ["average", "loss"])


@pytest.fixture
def weights(rng):
    """A, a of the encoder; W, b of the decoder."""
    A = np.array([[1.0, 0.1], [-0.1, 0.8], [0.2, 0.0], [0.0, -0.2]])
    return [A, rng.normal(0, 0.1, DIM), rng.normal(0, 0.7, (DIM, DATA)), rng.normal(0, 0.3, DATA)]


@pytest.fixture
def x(rng):
    return rng.uniform(-1, 1, (12, DATA)).astype("float32")


def vq_vae(weights, rate=0.0, scale=SCALE, **options):
    networks = []
    for inputs, outputs, values in ((DATA, DIM, weights[:2]), (DIM, DATA, weights[2:])):
        networks.append(keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(outputs)]))
        networks[-1].set_weights(values)
    options = dict(commitment_weight=BETA, decay=DECAY, dead_after=None) | options
    model = VQVAE(*networks, likelihood=Normal(scale=scale), codebook_size=len(CODEBOOK), **options)
    model.quantizer.codebook.assign(CODEBOOK)
    if model.codebook_update == "average":
        model.quantizer.sums.assign(CODEBOOK * model.quantizer.counts.numpy()[:, None])
    model.compile(keras.optimizers.SGD(rate))
    return model


def nearest(weights, x):
    """Latents, and the indices of their codes."""
    latents = x @ weights[0] + weights[1]
    distances = np.linalg.norm(latents[:, None] - CODEBOOK, axis=-1)
    return latents, distances.argmin(axis=1)


def test_between_integers_is_no_line(weights, x):
    with pytest.raises(NotImplementedError, match="The codes of VQVAE are integers"):
        vq_vae(weights).interpolate(x[:1], x[1:2])


@pytest.mark.parametrize("training", [False, True])
@both_updates
def test_terms_of_the_loss(update, training, weights, x):
    latents, indices = nearest(weights, x)
    outputs = CODEBOOK[indices] @ weights[2] + weights[3]
    density = -0.5 * ((x - outputs) / SCALE) ** 2 - np.log(SCALE * np.sqrt(2 * np.pi))
    reconstruction = -density.sum(axis=1).mean()
    np.testing.assert_allclose(vq_vae(weights).score(x), -density.sum(axis=1), rtol=1e-4)
    commitment = ((latents - CODEBOOK[indices]) ** 2).sum(axis=1).mean()
    used = np.bincount(indices) / len(x)
    assert len(used) == 4 and used.min() > 0
    expected = {
        "loss": reconstruction + BETA * commitment,
        "reconstruction_loss": reconstruction,
        "commitment_loss": commitment,
        "perplexity": np.exp(-np.sum(used * np.log(used))),
    }
    if update == "loss":  # Eq. (3): both norms have one value.
        expected |= {"loss": expected["loss"] + commitment, "codebook_loss": commitment}
    model = vq_vae(weights, codebook_update=update)
    assert losses_of(model, x, training=training) == pytest.approx(expected, rel=1e-5)


@both_updates
def test_the_encoder_takes_the_codes_gradient(update, weights, x):
    """Straight through: the slope of the reconstruction by a code is that of its latents.

    The codes themselves get none of it, but that of the second term of eq. (3), which passes by the
    encoder.
    """
    *_, W, b = weights
    latents, indices = nearest(weights, x)
    codes = CODEBOOK[indices]
    by_output = (codes @ W + b - x) / SCALE**2 / len(x)
    by_code = by_output @ W.T
    by_latents = by_code + BETA * 2 * (latents - codes) / len(x)
    slopes = [x.T @ by_latents, by_latents.sum(0), codes.T @ by_output, by_output.sum(0)]
    model = vq_vae(weights, RATE, codebook_update=update)
    losses_of(model, x, training=True)
    after = [*model.encoder.get_weights(), *model.decoder.get_weights()]
    for old, slope, new in zip(weights, slopes, after, strict=True):
        np.testing.assert_allclose(new, old - RATE * slope, atol=1e-6)
    if update == "loss":
        pulls = np.eye(len(CODEBOOK))[indices].T @ (2 * (codes - latents) / len(x))
        np.testing.assert_allclose(model.quantizer.codebook, CODEBOOK - RATE * pulls, atol=1e-6)
        assert np.abs(pulls[:4]).min(axis=0).max() > 1e-3 and (pulls[4] == 0).all()
    # Neither part is all there is.
    assert np.abs(x.T @ by_code).max() > 0.1 and np.abs(by_latents - by_code).max() > 0.01


def test_the_codebook_follows_the_latents(weights, x):
    """Eqs. (6) to (8), of the latents before the step; without the gradient of any loss."""
    model = vq_vae(weights, RATE)
    start = model.quantizer.counts.numpy()
    latents, indices = nearest(weights, x)
    chosen = np.eye(len(CODEBOOK))[indices]
    counts = DECAY * start + (1 - DECAY) * chosen.sum(axis=0)
    sums = DECAY * start[:, None] * CODEBOOK + (1 - DECAY) * chosen.T @ latents
    losses_of(model, x)
    np.testing.assert_allclose(model.quantizer.codebook, CODEBOOK, rtol=1e-6)
    losses_of(model, x, training=True)
    np.testing.assert_allclose(model.quantizer.counts, counts, rtol=1e-5)
    np.testing.assert_allclose(model.quantizer.codebook, sums / counts[:, None], rtol=1e-3)
    assert not any(v.path.startswith("vector") for v in model.optimizer._trainable_variables)


def steep(latents):
    """0, with a slope that is not finite."""
    return keras.ops.sqrt(keras.ops.abs(latents - keras.ops.stop_gradient(latents)))


# The error of a step, which runs in a graph that is free to move the codebook first.
NOT_FINITE = {
    "loss": (NonFiniteLossError, "^loss was not finite at step 0"),
    "gradient": (NonFiniteLossError, "^loss's gradient was not finite at step 0"),
    "batch": (ValueError, "^Vectors range from nan to nan: expected"),
}


@pytest.mark.thorough
@pytest.mark.parametrize("part", NOT_FINITE)
def test_a_step_that_is_not_finite_leaves_the_codebook(part, weights, x):
    model = vq_vae(weights, RATE, scale=1e-25 if part == "loss" else SCALE)
    if part == "gradient":
        model.encoder.layers[0].activation = steep
    if part == "batch":
        x[3] = np.nan
    before = model.get_weights()
    kind, message = NOT_FINITE[part]
    with pytest.raises(kind, match=message):
        model.fit(x, batch_size=len(x), verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.thorough
def test_codes_are_integers_there_and_back(weights, x):
    model = vq_vae(weights)
    _, indices = nearest(weights, x)
    outputs = CODEBOOK[indices] @ weights[2] + weights[3]
    codes = model.encode(x)
    assert np.issubdtype(codes.dtype, np.integer)
    np.testing.assert_array_equal(codes, indices)
    np.testing.assert_allclose(model.reconstruct(x), outputs, rtol=1e-4, atol=1e-6)
    levels = np.clip(np.round((outputs + 1) * 127.5), 0, 255)
    np.testing.assert_array_equal(model.decode(codes), levels)
    with pytest.raises(ValueError, match=r"from 0 to 5: expected integers in \[0, 4\]"):
        model.decode(np.array([0, 5]))
    with pytest.raises(TypeError, match="expected integers"):
        model.decode(codes.astype("float32"))


def of_maps(codebook_size):
    """A model of images, and some of them."""
    up = keras.layers.Conv2DTranspose(1, 2, strides=2)
    encoder = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(DIM, 2, strides=2)])
    decoder = keras.Sequential([keras.Input((2, 2, DIM)), up])
    images = np.random.default_rng(1).integers(0, 256, (6, 4, 4, 1), "uint8")
    return VQVAE(encoder, decoder, codebook_size=codebook_size), images


def test_maps_of_latents_have_maps_of_codes():
    """Each place has a code of its own, and the commitment is the mean over places."""
    model, images = of_maps(300)
    codes = model.encode(images)
    assert codes.shape == (6, 2, 2) and codes.dtype == np.int32  # more than 256 of them
    latents = model.encoder(images / 127.5 - 1.0).numpy()
    distances = np.linalg.norm(latents[..., None, :] - model.quantizer.codebook.numpy(), axis=-1)
    np.testing.assert_array_equal(codes, distances.argmin(axis=-1))
    squares = distances.min(axis=-1) ** 2
    terms = model.terms({"x": model.prepare(images)})
    np.testing.assert_allclose(terms["commitment"], squares.mean(axis=(1, 2)), rtol=1e-4)
    np.testing.assert_array_equal(model.decode(codes), model.restore(model(images / 127.5 - 1)))
