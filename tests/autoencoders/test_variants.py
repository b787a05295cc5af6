"""The terms that variants add, against their formulas; corruption against its fractions."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from all_tiny import TINY
from keras_gen.autoencoders import (
    ClassifyingAutoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    SparseAutoencoder,
)
from keras_gen.core import training_step
from keras_gen.losses import Categorical, UnboundedNormal
from keras_gen.networks import mlp_decoder, mlp_encoder


def networks(codes=6, hidden=(), activation="sigmoid"):
    options = dict(output_activation=activation)
    return (
        mlp_encoder((4, 4, 1), latent_dim=codes, hidden=hidden, **options),
        mlp_decoder((4, 4, 1), latent_dim=codes, hidden=()),
    )


def examples(n=5):
    return tf.constant(np.random.default_rng(0).uniform(size=(n, 4, 4, 1)), tf.float32)


def frobenius(encoder, x):
    """||dh/dx||^2 by differences of the encoder alone, in double precision."""
    x = np.asarray(x, "float64").reshape(len(x), -1)
    kernel, bias = (np.asarray(v, "float64") for v in encoder.trainable_variables)
    h = lambda x: 1 / (1 + np.exp(-(x @ kernel + bias)))  # noqa: E731
    steps = [(h(x + e) - h(x - e)) / 2e-5 for e in 1e-5 * np.eye(x.shape[1])]
    return np.square(steps).sum(axis=(0, 2))


@pytest.mark.parametrize("method", ["closed_form", "jacobian", "auto"])
def test_contraction_is_the_norm_of_the_jacobian(method):
    pair, x = networks(), examples()
    model = ContractiveAutoencoder(*pair, method=method)
    contraction = model.terms({"x": x})["contraction"]
    np.testing.assert_allclose(contraction, frobenius(pair[0], x), rtol=1e-4)


@pytest.mark.thorough
def test_hutchinson_is_unbiased():
    pair, x = networks(), examples(2)
    model = ContractiveAutoencoder(*pair, method="hutchinson")
    model.compile()

    @tf.function
    def step():
        with training_step(model):
            return model.terms({"x": x})["contraction"]

    draws = []
    for _ in range(2000):
        draws.append(step().numpy())
        model.step.assign_add(1)
    error = np.std(draws, axis=0) / len(draws) ** 0.5
    assert np.all(np.abs(np.mean(draws, axis=0) - frobenius(pair[0], x)) < 4 * error)
    assert np.all(error < 0.1 * frobenius(pair[0], x))


def test_contraction_has_the_same_gradient_in_every_way():
    pair, x = networks(), examples()
    gradients = []
    for method in ("closed_form", "jacobian"):
        model = ContractiveAutoencoder(*pair, method=method)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model.terms({"x": x})["contraction"])
        gradients.append(tape.gradient(loss, [v.value for v in pair[0].trainable_variables]))
    for closed, general in zip(*gradients, strict=True):
        np.testing.assert_allclose(closed, general, rtol=1e-4, atol=1e-6)


def test_contraction_of_a_deep_encoder():
    deep = networks(hidden=(7,))
    with pytest.raises(ValueError, match="one dense sigmoid layer: use 'jacobian'"):
        ContractiveAutoencoder(*deep, method="closed_form")
    model = ContractiveAutoencoder(*deep, method="jacobian")
    terms = model.terms({"x": examples()})
    assert terms["contraction"].shape == [5] and np.all(terms["contraction"] > 0)


def test_jacobian_norms_are_exact_whatever_the_method():
    pair, images = networks(), np.arange(3 * 16, dtype="uint8").reshape(3, 4, 4, 1)
    model = ContractiveAutoencoder(*pair, weight=0.0, method="hutchinson")
    expected = frobenius(pair[0], images / 255.0) ** 0.5
    np.testing.assert_allclose(model.jacobian_norms(images, batch_size=2), expected, rtol=1e-4)
    deep = ContractiveAutoencoder(*networks(hidden=(7,)))
    exact = ContractiveAutoencoder(deep.encoder, deep.decoder, method="jacobian")
    terms = exact.terms({"x": exact.prepare(images)})
    expected = np.sqrt(terms["contraction"])
    np.testing.assert_allclose(deep.jacobian_norms(images), expected, rtol=1e-5)


def test_a_dense_layer_of_an_axis_has_no_closed_form(rng):
    inputs = keras.Input((5, 3))
    layer = keras.layers.Dense(2, activation="sigmoid")
    encoder = keras.Model(inputs, keras.layers.Flatten()(layer(inputs)))
    decoder = mlp_decoder((5, 3), latent_dim=10, hidden=())
    likelihood = UnboundedNormal(scale=1.0)
    with pytest.raises(ValueError, match="an encoder with one dense sigmoid layer"):
        ContractiveAutoencoder(encoder, decoder, likelihood, method="closed_form")
    model = ContractiveAutoencoder(encoder, decoder, likelihood)
    x = rng.normal(size=(2, 5, 3)).astype("float32")
    h = encoder(x).numpy().reshape(2, 5, 2)
    kernel = layer.get_weights()[0]
    expected = np.sqrt(((h * (1 - h)) ** 2 @ (kernel**2).sum(axis=0)).sum(axis=1))
    np.testing.assert_allclose(model.jacobian_norms(x), expected, rtol=1e-4)


def test_kl_sparsity_is_that_of_bernoulli_variables():
    pair, x = networks(), examples(50)
    model = SparseAutoencoder(*pair, target=0.1)
    mean = np.asarray(pair[0](x), "float64").mean(axis=0)
    expected = 0.1 * np.log(0.1 / mean) + 0.9 * np.log(0.9 / (1 - mean))
    sparsity = model.terms({"x": x})["sparsity"]
    np.testing.assert_allclose(sparsity, np.full(50, expected.sum()), rtol=1e-5)


def test_l1_sparsity():
    pair, x = networks(activation=None), examples()
    sparsity = SparseAutoencoder(*pair, penalty="l1").terms({"x": x})["sparsity"]
    np.testing.assert_allclose(sparsity, np.abs(pair[0](x)).sum(axis=1), rtol=1e-5)


def test_codes_of_kl_sparsity_are_probabilities():
    for model in (
        SparseAutoencoder.for_images((8, 8, 1), latent_dim=3, filters=(2,)),
        SparseAutoencoder.for_vectors(3, latent_dim=3, hidden=(2,)),
    ):
        assert model.encoder.layers[-1].activation is keras.activations.sigmoid
    linear = SparseAutoencoder.for_vectors(3, latent_dim=3, hidden=(2,), penalty="l1")
    assert linear.encoder.layers[-1].activation is keras.activations.linear
    with pytest.raises(ValueError, match="activation linear: expected outputs between 0 and 1"):
        SparseAutoencoder(*networks(activation=None))
    with pytest.raises(ValueError, match="activation relu"):
        SparseAutoencoder(*networks(activation="relu"))


@pytest.mark.parametrize("corruption,values", [("masking", {0.0}), ("salt_and_pepper", {0.0, 1.0})])
def test_corruption_replaces_its_fraction(corruption, values):
    model = DenoisingAutoencoder(*networks(), corruption=corruption, amount=0.3)
    x = tf.fill([500, 4, 4, 1], 0.5)
    with training_step(model):
        corrupted = model.corrupt(x).numpy()
    changed = corrupted[corrupted != 0.5]
    assert set(np.unique(changed)) == values
    assert changed.size / corrupted.size == pytest.approx(0.3, abs=4 * (0.21 / 8000) ** 0.5)
    assert changed.mean() == pytest.approx(np.mean(list(values)), abs=0.05)
    model.step.assign_add(1)
    with training_step(model):
        assert np.any(model.corrupt(x) != corrupted)


def test_gaussian_corruption_and_clean_use():
    model = DenoisingAutoencoder(*networks(), corruption="gaussian", amount=0.2)
    x = examples(500)
    noise = model.corrupt(x) - x
    assert np.std(noise) == pytest.approx(0.2, rel=0.05)
    clean = TINY["DenoisingAutoencoder"].build(0)
    images = np.zeros((2, 4, 4, 1), "uint8")
    np.testing.assert_array_equal(clean.score(images)[:1], clean.score(images)[1:])


def test_reconstructs_the_clean_example():
    model = DenoisingAutoencoder(*networks(), corruption="masking", amount=1.0)
    x = examples()
    expected = -model.likelihood.log_prob(model.decoder(model.encoder(0 * x)), x)
    terms = model.terms({"x": x})
    np.testing.assert_allclose(terms["reconstruction"], expected, rtol=1e-6)


def test_classifies_only_what_has_a_label():
    classifier = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
    model = ClassifyingAutoencoder(*networks(), classifier, weight=2.0)
    x, labels = examples(3), tf.constant([2, -1, 0])
    terms = model.terms({"x": x, "labels": labels})
    logp = np.asarray(tf.nn.log_softmax(model.classify(x.numpy())))
    expected = [-logp[0, 2], 0, -logp[2, 0]]
    np.testing.assert_allclose(terms["classification"], expected, rtol=1e-5, atol=1e-7)
    model.compile()
    with pytest.raises(ValueError, match=r"labels \(labels\), but got 1 arrays"):
        model.fit(x.numpy(), batch_size=3, verbose=0)


def test_integers_are_masked_and_have_no_slopes():
    pair = (
        mlp_encoder((4, 4, 1), latent_dim=6, hidden=(), output_activation="sigmoid"),
        mlp_decoder((4, 4, 8), latent_dim=6, hidden=()),
    )
    x = tf.fill([50, 4, 4, 1], 3)
    for corruption, values in (("masking", [0, 3]), ("salt_and_pepper", [0, 3, 7])):
        model = DenoisingAutoencoder(*pair, Categorical(8), corruption=corruption)
        corrupted = model.corrupt(x)
        assert corrupted.dtype == tf.int32
        np.testing.assert_array_equal(np.unique(corrupted), values)
    with pytest.raises(ValueError, match=r"'gaussian', but Categorical.* requires integers"):
        DenoisingAutoencoder(*pair, Categorical(8), corruption="gaussian")
    with pytest.raises(ValueError, match=r"Categorical.*, whose data are integers"):
        ContractiveAutoencoder(*pair, Categorical(8))
    with pytest.raises(ValueError, match="target is 1"):
        SparseAutoencoder(*networks(), target=1)
