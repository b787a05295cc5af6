"""A prior over codes: of codes it is a distribution, of examples a bound; the coder is frozen."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.autoregressive import CodePrior, ConditionalCodePrior
from keras_gen.layers import CausalLSTM, Shift
from keras_gen.losses import Categorical
from keras_gen.networks import (
    gated_pixel_cnn,
    residual_decoder,
    residual_encoder,
    transformer,
    wave_decoder,
    wave_encoder,
    wavenet,
)
from keras_gen.vae import VQVAE, ConditionalVQVAE

SHAPE = (8, 8, 1)
LEVELS = 3


def coder():
    sizes = dict(latent_dim=2, filters=4, residual_filters=2)
    encoder, decoder = residual_encoder(SHAPE, **sizes), residual_decoder(SHAPE, **sizes)
    return VQVAE(encoder, decoder, codebook_size=LEVELS)


@pytest.fixture
def prior(rng):
    network = gated_pixel_cnn((2, 2, 1), LEVELS, 4, 1, first_kernel=3, kernel=3, levels=LEVELS)
    for weight in network.trainable_variables:
        weight.assign(weight + rng.normal(0, 0.5, weight.shape))
    return CodePrior(network, coder())


@pytest.fixture
def prior_of_several(rng):
    """A prior of two codes at each of two places."""
    shape = (4, 8, 1)
    sizes = dict(latent_dim=2, filters=4, residual_filters=2, codes_per_place=2)
    encoder, decoder = residual_encoder(shape, **sizes), residual_decoder(shape, **sizes)
    network = gated_pixel_cnn((1, 2, 2), LEVELS, 4, 1, 3, 3, levels=LEVELS, unordered=True)
    for weight in network.trainable_variables:
        weight.assign(weight + rng.normal(0, 0.5, weight.shape))
    return CodePrior(network, VQVAE(encoder, decoder, codebook_size=LEVELS))


def images(rng, n=6):
    return rng.integers(0, 256, (n, *SHAPE), dtype="uint8")


def test_probabilities_of_all_codes_sum_to_1(prior):
    codes = np.array(list(itertools.product(range(LEVELS), repeat=4))).reshape(-1, 2, 2)
    p = np.exp(prior.log_prob(codes).astype("float64"))
    assert p.sum() == pytest.approx(1, abs=1e-4) and p.std() > 1e-3


@pytest.mark.thorough
def test_probabilities_of_several_codes_at_a_place_sum_to_1(prior_of_several):
    prior = prior_of_several
    codes = np.array(list(itertools.product(range(LEVELS), repeat=4))).reshape(-1, 1, 2, 2)
    p = np.exp(prior.log_prob(codes).astype("float64"))
    assert p.sum() == pytest.approx(1, abs=1e-4) and p.std() > 1e-3
    # The second code of a place is predicted from the first, and codes have no order.
    p = p.reshape([LEVELS] * 4).sum(axis=(2, 3))
    given = p / p.sum(axis=1, keepdims=True)
    assert np.abs(given[0] - given[1]).max() > 1e-3
    drawn = prior.draw_codes(prior.noise(2000, tf.constant([0, 1])), 1.0).numpy()
    assert drawn.shape == (2000, 1, 2, 2)
    counts = np.zeros([LEVELS, LEVELS])
    np.add.at(counts, (drawn[:, 0, 0, 0], drawn[:, 0, 0, 1]), 1 / 2000)
    assert (np.abs(counts - p) < 4 * np.sqrt(p * (1 - p) / 2000)).all()
    assert prior.sample(3, seed=1).shape == (3, 4, 8, 1)


@pytest.mark.thorough
def test_training_changes_the_prior_alone_and_uses_the_codes_of_examples(prior, rng):
    prior.compile()
    x = images(rng)
    before = [w.numpy() for w in prior.coder.variables]
    expected = -prior.log_prob(prior.encode(x)).mean()
    assert prior.evaluate(x, verbose=0, return_dict=True)["loss"] == pytest.approx(
        expected, rel=1e-5
    )
    old = [w.numpy() for w in prior.network.trainable_variables]
    prior.fit(x, batch_size=3, verbose=0)
    for value, weight in zip(before, prior.coder.variables, strict=True):
        np.testing.assert_array_equal(value, weight)
    assert any((a != b.numpy()).any() for a, b in zip(old, prior.network.weights, strict=False))


@pytest.fixture
def spoken(rng):
    sizes = dict(samples=16, latent_dim=2, filters=(2, 3))
    decoder = wave_decoder(classes=2, **sizes)
    coder = ConditionalVQVAE(wave_encoder(**sizes), decoder, 2, codebook_size=LEVELS)
    network = wavenet(4, LEVELS, 3, 4, dilations=(1,), levels=LEVELS, classes=2)
    for weight in network.trainable_variables:
        weight.assign(weight + rng.normal(0, 0.5, weight.shape))
    return ConditionalCodePrior(network, coder)


def test_codes_of_speech_have_a_distribution_for_each_speaker(spoken):
    codes = np.array(list(itertools.product(range(LEVELS), repeat=4)))
    p = [np.exp(spoken.log_prob(codes, speaker).astype("float64")) for speaker in (0, 1)]
    for each in p:
        assert each.sum() == pytest.approx(1, abs=1e-4)
    assert np.abs(p[0] - p[1]).max() > 1e-3


@pytest.mark.thorough
def test_speech_is_drawn_in_the_voice_that_is_asked_for(spoken):
    noise = spoken.noise(4, tf.constant([0, 1]))
    for speaker in (0, 1):
        speakers = np.full(4, speaker)
        codes = spoken.draw_values(noise, conditions=[tf.constant(speakers, tf.int32)])
        codes = codes.numpy()[..., 0].astype(int)
        expected = spoken.coder.decode(codes, speakers)
        found = spoken.restore(
            spoken.from_noise(noise, speaker=tf.constant(speakers, tf.int32))
        ).numpy()
        np.testing.assert_allclose(found, expected, atol=1e-6)
    assert spoken.sample(3, seed=1, speaker=1).shape == (3, 16, 1)


@pytest.mark.thorough
def test_a_trained_coder_leaves_no_trace_of_its_training_in_files(rng, tmp_path, recwarn):
    trained = coder()
    trained.compile()
    trained.fit(images(rng), batch_size=3, verbose=0)
    network = gated_pixel_cnn((2, 2, 1), LEVELS, 4, 1, first_kernel=3, kernel=3, levels=LEVELS)
    prior = CodePrior(network, trained)
    prior.compile()
    prior.save(tmp_path / "prior.keras")
    loaded = keras.saving.load_model(tmp_path / "prior.keras")
    assert not [str(w.message) for w in recwarn if "optimizer" in str(w.message)]
    np.testing.assert_array_equal(loaded.sample(2, seed=0), prior.sample(2, seed=0))


@pytest.fixture
def of_classes(rng):
    """A transformer of 2x2 codes, row by row, of two classes."""
    network = transformer(4, LEVELS, units=4, blocks=2, heads=2, classes=2)
    for weight in network.trainable_variables:
        weight.assign(weight + rng.normal(0, 0.5, weight.shape))
    return ConditionalCodePrior(network, coder(), classes=2)


def test_a_sequence_network_takes_a_grid_of_codes_row_by_row(of_classes):
    codes = np.array(list(itertools.product(range(LEVELS), repeat=4))).reshape(-1, 2, 2)
    p = [np.exp(of_classes.log_prob(codes, label).astype("float64")) for label in (0, 1)]
    for each in p:
        assert each.sum() == pytest.approx(1, abs=1e-4)
    assert np.abs(p[0] - p[1]).max() > 1e-3
    logits = of_classes.network([codes.reshape(-1, 4, 1), np.ones(len(codes), "int32")])
    of_values = tf.nn.log_softmax(logits).numpy()
    rows = np.arange(len(codes))
    expected = sum(of_values[rows, t, codes.reshape(-1, 4)[:, t]] for t in range(4))
    np.testing.assert_allclose(of_classes.log_prob(codes, 1), expected, rtol=1e-4)


@pytest.mark.thorough
def test_examples_of_a_class_are_drawn_as_often_as_their_codes_are_probable(of_classes):
    n = 2000
    noise = of_classes.noise(n, tf.constant([0, 1]))
    every = np.array(list(itertools.product(range(LEVELS), repeat=4))).reshape(-1, 2, 2)
    for label in (0, 1):
        labels = tf.fill([n], label)
        codes = of_classes.draw_codes(noise, 1.0, [labels]).numpy()
        p = np.exp(of_classes.log_prob(every, label))
        for place in np.ndindex(2, 2):
            found = np.bincount(codes[:, *place], minlength=LEVELS) / n
            expected = np.array([p[every[:, *place] == level].sum() for level in range(LEVELS)])
            assert (np.abs(found - expected) < 4.5 * np.sqrt(expected * (1 - expected) / n)).all()
        drawn = of_classes.restore(of_classes.from_noise(noise, label=labels)).numpy()
        np.testing.assert_array_equal(drawn[:5], of_classes.coder.decode(codes[:5]))
    some = of_classes.sample(3, seed=1, label=[0, 1, 1])
    assert some.shape == (3, *SHAPE)


def output(network, *inputs):
    return network(list(inputs) if len(inputs) > 1 else inputs[0])


@pytest.mark.parametrize(
    "name, condition", [("prior", None), ("spoken", "speakers"), ("of_classes", "labels")]
)
def test_terms_and_bounds_are_of_the_codes_given_the_condition(name, condition, request, rng):
    model = request.getfixturevalue(name)
    x = rng.uniform(-1, 1, (3, *model.coder.encoder.input_shape[1:])).astype("float32")
    numbers = tf.constant([0, 1, 1])
    given = {condition: numbers} if condition else {}
    codes = model.coder.codes(x)
    values = tf.reshape(codes, [3, *model.network.inputs[0].shape[1:]])
    nats = -Categorical(LEVELS).log_prob(output(model.network, values, *given.values()), values)
    np.testing.assert_allclose(model.terms({"x": x, **given})["nll"], nats, rtol=1e-5)
    voices = [numbers] if condition == "speakers" else []
    parameters = output(model.coder.decoder, model.coder.embedded(codes), *voices)
    expected = model.coder.likelihood.log_prob(parameters, x) - nats
    bounds = type(model).bound.function(model, x=x, **given)["bounds"]
    np.testing.assert_allclose(bounds, expected, rtol=1e-4)


def test_networks_of_another_number_of_codes_are_refused():
    network = transformer(5, LEVELS, units=4, blocks=1, heads=2)
    with pytest.raises(
        ValueError, match=r"shape \(5, 1\): .* \(2, 2, 1\).* or \(4, 1\), with the codes"
    ):
        CodePrior(network, coder())


def test_an_embedding_of_the_codes_is_none_of_the_classes():
    codes, labels = keras.Input((4, 1), dtype="int32"), keras.Input((), dtype="int32")
    before = keras.layers.Reshape((4,))(Shift()(codes))
    of_codes = CausalLSTM(4)(keras.layers.Embedding(LEVELS + 1, 4)(before))
    of_class = keras.layers.Reshape((1, LEVELS))(keras.layers.Embedding(2, LEVELS)(labels))
    logits = keras.layers.Add()([keras.layers.Dense(LEVELS)(of_codes), of_class])
    ConditionalCodePrior(keras.Model([codes, labels], logits), coder(), classes=2)


def test_networks_of_other_classes_are_refused():
    network = transformer(4, LEVELS, units=4, blocks=1, heads=2, classes=3)
    with pytest.raises(ValueError, match="accepts labels from 0 to 2: expected labels from 0 to 1"):
        ConditionalCodePrior(network, coder(), classes=2)
    without = transformer(4, LEVELS, units=4, blocks=1, heads=2)
    with pytest.raises(ValueError, match=r"has 1 input: expected 2 \(codes labels -> parameters\)"):
        ConditionalCodePrior(without, coder(), classes=2)
    with pytest.raises(ValueError, match=r"classes is None, but the coder 'vqvae.*' has none"):
        ConditionalCodePrior(network, coder())
