"""The document autoencoder: its loss against the formula, texts against counts, odd documents."""

import numpy as np
import pytest
import tensorflow as tf
from sklearn.feature_extraction.text import TfidfTransformer

from keras_gen.autoencoders import DocumentAutoencoder
from keras_gen.data import WordCounts
from keras_gen.networks import mlp_decoder, mlp_encoder
from tiny import WORDS

TEXTS = ["Apple, apple; MILK!", "bread and water", "nothing of that", ""]


def documents(words=WORDS, codes=2, hidden=(5,), **options):
    shape = (len(words),)
    return DocumentAutoencoder(
        mlp_encoder(shape, codes, hidden), mlp_decoder(shape, codes, hidden), words, **options
    )


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


@pytest.fixture
def counts(rng):
    return rng.integers(0, 4, size=(6, len(WORDS))) + 1


def test_loss_is_a_cross_entropy_of_shares_and_score_that_of_counts(counts):
    model = documents()
    fractions = counts / counts.sum(axis=1, keepdims=True)
    logits = model.decoder(model.encoder(fractions * len(WORDS))).numpy()
    a_word = -(fractions * log_softmax(logits)).sum(axis=1)
    loss = model.terms({"x": model.prepare(counts)})["reconstruction"]
    np.testing.assert_allclose(loss, a_word, rtol=1e-5)
    np.testing.assert_allclose(model.score(counts), a_word * counts.sum(axis=1), rtol=1e-5)


def test_a_document_twice_as_long_has_the_same_code_and_loss(counts):
    model = documents()
    np.testing.assert_allclose(model.encode(counts), model.encode(3 * counts), rtol=1e-5)
    one = model.terms({"x": model.prepare(counts)})
    three = model.terms({"x": model.prepare(3 * counts)})
    np.testing.assert_allclose(one["reconstruction"], three["reconstruction"], rtol=1e-5)
    np.testing.assert_allclose(3 * model.score(counts), model.score(3 * counts), rtol=1e-5)


def test_tf_idf_is_that_of_scikit_learn(counts):
    """The networks get it at a mean square of 1, and its normal likelihood is the squared error."""
    counts[0, 1:] = 0
    tfidf = TfidfTransformer().fit(counts)
    vectors = tfidf.transform(np.log1p(counts)).toarray() * len(WORDS) ** 0.5
    model = documents(likelihood="normal", idf=tfidf.idf_.tolist())
    codes = model.encoder(vectors)
    np.testing.assert_allclose(model.encode(counts), codes, rtol=1e-4, atol=1e-5)
    error = 0.5 * np.square(vectors - model.decoder(codes)).sum(axis=1)
    nats = error + 0.5 * np.log(2 * np.pi) * len(WORDS)
    np.testing.assert_allclose(model.score(counts), nats, rtol=1e-4)
    loss = model.terms({"x": model.prepare(counts)})["reconstruction"]
    np.testing.assert_allclose(loss, nats, rtol=1e-4)


def test_texts_are_their_counts():
    model, counted = documents(), WordCounts(WORDS)(TEXTS).numpy()
    np.testing.assert_array_equal(counted.sum(axis=1), [3, 2, 0, 0])
    for texts in (TEXTS, np.array(TEXTS), np.array(TEXTS, object)):
        np.testing.assert_array_equal(model.encode(texts), model.encode(counted))
        np.testing.assert_array_equal(model.score(texts, batch_size=3), model.score(counted))


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("likelihood", "idf"), [("multinomial", None), ("poisson", None), ("normal", [2.0] * 12)]
)
def test_documents_without_a_known_word_give_numbers(likelihood, idf):
    model = documents(likelihood=likelihood, idf=idf)
    model.compile()
    history = model.fit(model.prepare(TEXTS), epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    codes, scores = model.encode(TEXTS), model.score(TEXTS)
    assert np.isfinite(codes).all() and np.isfinite(scores).all()
    np.testing.assert_array_equal(codes[2], codes[3])
    if likelihood == "multinomial":
        np.testing.assert_array_equal(scores[2:], 0)


def test_the_likeliest_words_come_first():
    model = documents(top=3)
    codes = model.encode(TEXTS)
    words, rates = model.decode(codes)
    everything = tf.nn.softmax(model.decoder(codes)).numpy()
    order = np.argsort(-everything, axis=1)[:, :3]
    np.testing.assert_array_equal(words, np.array(WORDS)[order])
    np.testing.assert_allclose(rates, np.take_along_axis(everything, order, axis=1))
    again, same = model.reconstruct(TEXTS)
    np.testing.assert_array_equal(words, again)
    np.testing.assert_array_equal(rates, same)


def test_signatures_of_counts_know_no_strings(counts):
    model = documents()
    served = {name: function for name, (function, _) in model.signatures().items()}
    codes = served["encode_counts"](tf.constant(counts, tf.float32))["codes"]
    np.testing.assert_allclose(codes, model.encode(counts), rtol=1e-4, atol=1e-6)
    rates = served["decode_rates"](codes)["rates"]
    np.testing.assert_allclose(rates, tf.nn.softmax(model.decoder(codes)), rtol=1e-4)
    again = served["reconstruct_counts"](tf.constant(counts, tf.float32))["rates"]
    np.testing.assert_allclose(again, rates, rtol=1e-4)


def test_networks_and_options_that_do_not_fit():
    with pytest.raises(ValueError, match=r"vocabulary has 3 words"):
        DocumentAutoencoder(documents().encoder, documents().decoder, ["a", "b", "c"])
    with pytest.raises(ValueError, match="top is 13: expected an integer from 1 to 12"):
        documents(top=13)
    with pytest.raises(
        ValueError, match="idf has 3 numbers: expected one number for each of the 12 words"
    ):
        documents(idf=[1.0, 2.0, 3.0])
