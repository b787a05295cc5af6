"""M2's bounds and gradients against numpy, class by class, for linear networks."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from scipy.special import log_softmax, logsumexp

from keras_gen.core import noise, training_step
from keras_gen.losses import Normal
from keras_gen.networks import with_labels
from keras_gen.vae import M2
from shared import levels, losses_of, step_noise

DATA, LATENTS, CLASSES, SCALE, ALPHA = 3, 2, 4, 0.5, 7.0
MIXED = np.array([2, -1, 0, -1, -1])


def dense(inputs, *outputs):
    x = keras.Input((inputs,))
    heads = [keras.layers.Dense(units)(x) for units in outputs]
    return keras.Model(x, heads if len(heads) > 1 else heads[0])


@pytest.fixture
def weights(rng):
    """A, a of the mean; C, c of the log variance; W, b of the decoder; V, v of the classifier."""
    code, data = DATA + CLASSES, LATENTS + CLASSES
    shapes = [(code, LATENTS), (code, LATENTS), (data, DATA), (DATA, CLASSES)]
    return [w for s in shapes for w in (rng.normal(0, 0.5, s), rng.normal(0, 0.5, s[1]))]


@pytest.fixture
def x(rng):
    return rng.uniform(-1, 1, (5, DATA)).astype("float32")


def m2(weights, rate=0.0, **options):
    encoder = with_labels(dense(DATA + CLASSES, LATENTS, LATENTS), CLASSES)
    decoder = with_labels(dense(LATENTS + CLASSES, DATA), CLASSES)
    classifier = dense(DATA, CLASSES)
    for network, part in ((encoder, weights[:4]), (decoder, weights[4:6])):
        network.set_weights(part)
    classifier.set_weights(weights[6:])
    likelihood = Normal(scale=SCALE)
    model = M2(encoder, decoder, classifier, likelihood=likelihood, alpha=ALPHA, **options)
    model.compile(keras.optimizers.SGD(rate))
    return model


def with_class(values, y):
    """Values and the one-hot vector of a class."""
    return np.concatenate([values, np.eye(CLASSES)[y]])


def of_class(weights, x, y, epsilon):
    """-log p(x|y,z), the divergence of q(z|x,y) from p(z), and log p(z) - log q(z|x,y)."""
    A, a, C, c, W, b = weights[:6]
    mean, log_variance = with_class(x, y) @ A + a, with_class(x, y) @ C + c
    deviation = np.exp(log_variance / 2)
    z = mean + deviation * epsilon
    log_p = stats.norm(with_class(z, y) @ W + b, SCALE).logpdf(x).sum()
    ratio = stats.norm.logpdf(z).sum() - stats.norm(mean, deviation).logpdf(z).sum()
    return -log_p, 0.5 * (mean**2 + deviation**2 - log_variance - 1).sum(), ratio


def enumerated(model, weights, x, labels, training):
    """The terms of each example, by going through the classes that it can have."""
    pairs = sum(CLASSES if label < 0 else 1 for label in labels)
    epsilon = iter(step_noise(model, "latents", [pairs, LATENTS], training))
    found = []
    for example, label in zip(x, labels, strict=True):
        log_q = log_softmax(example @ weights[6] + weights[7])
        if label >= 0:  # eq. (6), and what eq. (9) adds
            reconstruction, kl, _ = of_class(weights, example, label, next(epsilon))
            found.append([reconstruction, kl, np.log(CLASSES), -log_q[label]])
            continue
        total = np.zeros(4)  # eq. (7)
        for y in range(CLASSES):
            reconstruction, kl, _ = of_class(weights, example, y, next(epsilon))
            total[:3] += np.exp(log_q[y]) * np.array([reconstruction, kl, np.log(CLASSES)])
            total[2] += np.exp(log_q[y]) * log_q[y]  # -H(q(y|x))
        found.append(total)
    return dict(zip(TERMS, np.transpose(found), strict=True))


TERMS = ("reconstruction", "kl", "class_kl", "classification")


@pytest.mark.thorough
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    "labels", [MIXED, np.full(5, -1), np.array([3, 0, 0, 1, 2])], ids=["mixed", "none", "all"]
)
def test_terms_are_those_of_every_possible_class(labels, training, weights, x):
    model = m2(weights)
    wanted = enumerated(model, weights, x, labels, training)
    batch = {"x": tf.constant(x), "labels": tf.constant(labels, tf.int32)}
    with training_step(model) if training else contextlib.nullcontext():
        terms = model.terms(batch)
    for name, values in wanted.items():
        np.testing.assert_allclose(terms[name], values, rtol=1e-4, atol=1e-5, err_msg=name)
    loss = sum(wanted[name] for name in TERMS[:3]) + ALPHA * wanted["classification"]
    logs = losses_of(model, x, labels, training=training)
    assert logs["loss"] == pytest.approx(loss.mean(), rel=1e-5)


def test_the_entropy_of_a_classifier_that_knows_nothing_and_of_one_that_is_sure(weights, x):
    labels = np.full(5, -1, "int32")
    V, v = weights[6:]
    for bias, class_kl in ((0 * v, 0.0), (1e4 * np.eye(CLASSES)[1], np.log(CLASSES))):
        model = m2([*weights[:6], 0 * V, bias])
        terms = model.terms({"x": tf.constant(x), "labels": tf.constant(labels)})
        np.testing.assert_allclose(terms["class_kl"], np.full(5, class_kl), atol=1e-6)
        assert all(np.isfinite(term).all() for term in terms.values())
    # Then eq. (7) is eq. (6) of the class that is sure.
    epsilon = model.normal("latents", [5 * CLASSES, LATENTS]).numpy()[1::CLASSES]
    pairs = zip(x, epsilon, strict=True)
    reconstruction, kl, _ = np.transpose([of_class(weights, e, 1, noise) for e, noise in pairs])
    np.testing.assert_allclose(terms["reconstruction"], reconstruction, rtol=1e-4)
    np.testing.assert_allclose(terms["kl"], kl, rtol=1e-4)


def test_unlabeled_examples_train_the_classifier(weights, x):
    labels, rate = np.full(5, -1), 0.01
    model = m2(weights, rate)
    epsilon = step_noise(model, "latents", [5 * CLASSES, LATENTS]).reshape(5, CLASSES, -1)
    V, v = weights[6:]
    log_q = log_softmax(x @ V + v, axis=1)
    bounds = np.array(
        [
            [sum(of_class(weights, x[i], y, epsilon[i, y])[:2]) for y in range(CLASSES)]
            for i in range(5)
        ]
    )
    # d/dlogits of sum_y q(y) (bound(y) + log q(y)).
    q, inner = np.exp(log_q), bounds + log_q
    slopes = q * (inner - (q * inner).sum(axis=1, keepdims=True)) / 5
    assert np.abs(slopes).max() > 0.05
    model.train_step((tf.constant(x), tf.constant(labels)))
    kernel, bias = model.classifier.get_weights()
    np.testing.assert_allclose(kernel, V - rate * x.T @ slopes, atol=1e-5)
    np.testing.assert_allclose(bias, v - rate * slopes.sum(axis=0), atol=1e-5)


def test_labeled_examples_train_the_weights_of_their_class_alone(weights, x):
    model = m2(weights, rate=0.1)
    model.train_step((tf.constant(x), tf.constant([1, 3, 3, 1, 1])))
    for network, before, values in ((model.encoder, 0, DATA), (model.decoder, 4, LATENTS)):
        old, new = weights[before][values:].astype("float32"), network.get_weights()[0][values:]
        np.testing.assert_array_equal((old != new).any(axis=1), [False, True, False, True])


def test_accuracy_is_of_what_has_a_label(weights, x):
    model = m2(weights)
    right = (x @ weights[6] + weights[7]).argmax(axis=1)
    labels = np.where([1, 0, 1, 1, 0], right, -1)
    labels[2] = (right[2] + 1) % CLASSES
    logs = model.evaluate(x, labels, batch_size=2, return_dict=True, verbose=0)
    assert logs["accuracy"] == pytest.approx(2 / 3)
    logits = model.classify(x)
    np.testing.assert_allclose(logits, x @ weights[6] + weights[7], rtol=1e-4, atol=1e-5)


def exact(weights, x):
    """log p(x) of a mixture of a Normal distribution for each class."""
    W, b = weights[4:6]
    covariance = W[:LATENTS].T @ W[:LATENTS] + SCALE**2 * np.eye(DATA)
    means = W[LATENTS:] + b
    by_class = [stats.multivariate_normal(mean, covariance).logpdf(x) for mean in means]
    return logsumexp(by_class, axis=0) - np.log(CLASSES)


@pytest.mark.thorough
def test_log_prob_is_the_bound_of_16_latents_of_each_class(weights, x):
    model = m2(weights)
    seeds = tf.repeat(model.score_seeds(tf.constant(x)), CLASSES, axis=0)
    seeds = noise.folded(seeds, np.tile(np.arange(CLASSES), 5))
    drawn = noise.normal([5 * CLASSES, 16, LATENTS], seeds).numpy()
    drawn = drawn.reshape(5, CLASSES, 16, LATENTS)
    log_q = log_softmax(x @ weights[6] + weights[7], axis=1)
    bound, eq_7 = np.zeros((2, 5))
    for i in range(5):
        for k in range(16):
            parts = [of_class(weights, x[i], y, drawn[i, y, k]) for y in range(CLASSES)]
            joint = np.array([ratio - lost for lost, _, ratio in parts]) - np.log(CLASSES)
            bound[i] += logsumexp(joint) / 16
            eq_7[i] += np.exp(log_q[i]) @ (joint - log_q[i]) / 16
    np.testing.assert_allclose(model.log_prob(x), bound, rtol=1e-4)
    np.testing.assert_allclose(model.score(x), -bound, rtol=1e-4)
    assert (bound > eq_7).all() and (bound < exact(weights, x)).all()


def test_importance_weights_estimate_the_likelihood(weights, x):
    weights[2][:], weights[3][:] = (0, 0)  # q of unit variance, so that no weight is rare and large
    model = m2(weights)
    log_w = model.log_weights(tf.constant(x), 20_000, tf.constant([1, 2], tf.int64)).numpy()
    w = np.exp(log_w - exact(weights, x))  # 1 in the mean
    errors = w.std(axis=0) / len(w) ** 0.5
    assert (errors < 0.05).all() and (np.abs(w.mean(axis=0) - 1) < 4 * errors).all()


def test_latents_are_decoded_as_a_class(weights, x):
    model = m2(weights)
    A, a, _, _, W, b, V, v = weights
    likeliest = (x @ V + v).argmax(axis=1)
    assert len(set(likeliest)) > 1
    mean = np.array([with_class(e, y) @ A + a for e, y in zip(x, likeliest, strict=True)])
    np.testing.assert_allclose(model.encode(x)[0], mean, rtol=1e-4, atol=1e-6)

    def decoded(y):
        return np.array([with_class(z, k) @ W + b for z, k in zip(mean, y, strict=True)])

    np.testing.assert_allclose(model.reconstruct(x), decoded(likeliest), rtol=1e-4, atol=1e-5)
    codes = mean.astype("float32")
    np.testing.assert_array_equal(model.decode(codes, likeliest), levels(decoded(likeliest)))
    np.testing.assert_array_equal(model.decode(codes, 3), levels(decoded([3] * 5)))
    made = model.analogies(x)
    assert made.shape == (5, CLASSES, DATA)
    for y in range(CLASSES):
        np.testing.assert_allclose(made[:, y], decoded([y] * 5), rtol=1e-4, atol=1e-5)
    line = model.interpolate(x[:1], x[1:2], steps=3, labels=2)
    np.testing.assert_array_equal(line[0, ::2], model.decode(codes[:2], 2))


def test_samples_are_of_the_class_that_is_asked_for(weights):
    W, b = weights[4:6]
    W[:LATENTS] = 0  # only the class counts
    model = m2(weights)
    by_class = levels(W[LATENTS:] + b)
    for label in range(CLASSES):
        drawn = model.sample(3, seed=0, label=label)
        np.testing.assert_array_equal(drawn, np.tile(by_class[label], (3, 1)))
    drawn = {tuple(example) for example in model.sample(100, seed=0).tolist()}
    assert drawn == {tuple(example) for example in by_class.tolist()}
