"""Methods of blind representations, step by step, and what they refuse."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from all_tiny import TINY
from keras_gen.core import training_step
from keras_gen.data import Column
from keras_gen.fairness import ALFR, GRAD, VFAE
from keras_gen.losses import UnboundedNormal
from keras_gen.losses.divergences import fourier_discrepancy
from keras_gen.networks import mlp_encoder
from shared import losses_of, with_sgd

COLUMNS = [Column("age", mean=40.0, scale=10.0), Column("work", ("?", "city", "farm"))]
ROWS = np.array([["39", "city"], ["50", "?"], ["28", "farm"], ["61", "farm"]])
LABELS = np.array([0, 1, 1, 0])
SEXES = np.array([1, 0, 1, 0])
SMALL = dict(features=3, hidden=(4,), discriminator_hidden=())


def weights(network):
    return [w.numpy() for w in network.trainable_variables]


def slopes(model, encoder_weight):
    """The gradients by hand: of the encoder, the classifier and the discriminator."""
    x = model.prepare(ROWS)
    networks = [model.encoder, model.classifier, model.discriminator]
    variables = [[w.value for w in network.trainable_variables] for network in networks]
    with tf.GradientTape(persistent=True) as tape:
        found = model.encoder(x)
        cross_entropy = keras.losses.sparse_categorical_crossentropy
        label_loss = tf.reduce_mean(cross_entropy(LABELS, model.classifier(found), True))
        told = tf.reduce_mean(cross_entropy(SEXES, model.discriminator(found), True))
        total = label_loss - encoder_weight * told
    return (
        tape.gradient(total, variables[0]),
        tape.gradient(label_loss, variables[1]),
        tape.gradient(told, variables[2]),
        (float(label_loss), float(told)),
    )


def assert_moved(before, network, expected):
    for old, new, slope in zip(before, weights(network), expected, strict=True):
        np.testing.assert_allclose(new, old - slope, atol=1e-6)


def test_a_reversed_gradient_moves_the_encoder_against_the_discriminator():
    model = with_sgd(GRAD.for_table(COLUMNS, **SMALL, weight=0.7), 1.0)
    networks = [model.encoder, model.classifier, model.discriminator]
    before = [weights(network) for network in networks]
    *expected, (label_loss, told) = slopes(model, 0.7)
    logs = losses_of(model, model.prepare(ROWS), LABELS, SEXES, training=True)
    for old, network, slope in zip(before, networks, expected, strict=True):
        assert_moved(old, network, slope)
    assert logs["loss"] == pytest.approx(label_loss, rel=1e-5)
    assert logs["d_loss"] == pytest.approx(told, rel=1e-5)


def test_the_adversary_follows_the_features_of_before_its_steps():
    model = with_sgd(ALFR.for_table(COLUMNS, **SMALL, weight=0.7, discriminator_steps=2), 1.0, 0.5)
    before = [weights(network) for network in (model.encoder, model.classifier)]
    discriminator = keras.models.clone_model(model.discriminator)
    discriminator.set_weights(model.discriminator.get_weights())
    features = tf.constant(model.features(ROWS))
    of_encoder, of_classifier, _, (label_loss, _) = slopes(model, 0.7)
    logs = losses_of(model, model.prepare(ROWS), LABELS, SEXES, training=True)
    assert_moved(before[0], model.encoder, of_encoder)
    assert_moved(before[1], model.classifier, of_classifier)
    for _ in range(2):
        with tf.GradientTape() as tape:
            logits = discriminator(features)
            told = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(SEXES, logits, True))
        variables = [w.value for w in discriminator.trainable_variables]
        for variable, slope in zip(variables, tape.gradient(told, variables), strict=True):
            variable.assign_sub(0.5 * slope)
    for found, expected in zip(weights(model.discriminator), weights(discriminator), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    assert logs["loss"] == pytest.approx(label_loss, rel=1e-5)
    assert logs["d_loss"] == pytest.approx(float(told), rel=1e-5)


def normal_kl(mean, log_variance, other_mean, other_log_variance):
    variance, other = np.exp(log_variance), np.exp(other_log_variance)
    ratio = (variance + (mean - other_mean) ** 2) / other
    return 0.5 * np.sum(other_log_variance - log_variance + ratio - 1, axis=-1)


class TestVFAE:
    """The bounds against numpy."""

    @pytest.fixture
    def model(self):
        keras.utils.set_random_seed(1)
        likelihood = UnboundedNormal(scale=0.5)
        return VFAE.for_table(COLUMNS, latent_dim=2, hidden=(3,), likelihood=likelihood)

    def by_hand(self, model, labels):
        """The terms of each example, and q(y|z1), with the model's own draws."""
        x = model.prepare(ROWS)
        posterior = model.posterior(x, tf.constant(SEXES))
        inferred = model.drawn(posterior, model.stateless_seed("latents"))
        z, (mean, log_variance, _) = inferred
        terms = model.bound_terms(x, tf.constant(labels), tf.constant(SEXES), inferred)
        return x, z, mean, log_variance, {name: value.numpy() for name, value in terms.items()}

    def test_terms_of_labeled_examples(self, model):
        # p(z1|z2,y) and q(z2|z1,y) without a slope by z2 and z1, so that draws do not matter.
        for network in (model.upper_encoder, model.upper_decoder):
            first, *_ = network.trainable_variables
            first.assign(np.concatenate([np.zeros((2, 3)), first.numpy()[2:]]))
        x, z, mean, log_variance, terms = self.by_hand(model, LABELS)
        decoded = model.decoder([z, tf.constant(SEXES)]).numpy()
        log_density = -2 * (x - decoded) ** 2 - np.log(0.5 * np.sqrt(2 * np.pi))
        np.testing.assert_allclose(terms["reconstruction"], -np.sum(log_density, axis=1), rtol=1e-4)
        above = [part.numpy() for part in model.upper_encoder([z, tf.constant(LABELS)])]
        below = [part.numpy() for part in model.upper_decoder([z, tf.constant(LABELS)])]
        np.testing.assert_allclose(terms["upper_kl"], normal_kl(*above, 0, 0), rtol=1e-4)
        expected = normal_kl(mean.numpy(), log_variance.numpy(), *below)
        np.testing.assert_allclose(terms["kl"], expected, rtol=1e-4)
        np.testing.assert_allclose(terms["class_kl"], np.log(2), rtol=1e-6)

    def test_without_a_label_the_bound_is_a_mean_over_the_classes(self, model):
        *_, known = self.by_hand(model, np.zeros(4, int))
        *_, others = self.by_hand(model, np.ones(4, int))
        _, z, *_, unknown = self.by_hand(model, np.full(4, -1))
        q = tf.nn.softmax(model.logits_of(z)).numpy()
        for name in ("reconstruction", "kl", "upper_kl"):
            mean = q[:, 0] * known[name] + q[:, 1] * others[name]
            np.testing.assert_allclose(unknown[name], mean, rtol=1e-4, err_msg=name)
        divergence = np.log(2) + np.sum(q * np.log(q), axis=1)
        np.testing.assert_allclose(unknown["class_kl"], divergence, rtol=1e-3, atol=1e-6)

    def test_each_label_has_draws_of_its_own(self, model):
        for network in (model.upper_encoder, model.upper_decoder):  # which do not see the label
            first, *_ = network.trainable_variables
            first.assign(np.concatenate([first.numpy()[:2], np.zeros((2, 3))]))
        terms, others = (self.by_hand(model, np.full(4, label))[-1] for label in (0, 1))
        np.testing.assert_allclose(terms["upper_kl"], others["upper_kl"], rtol=1e-5)
        assert np.abs(terms["kl"] - others["kl"]).min() > 1e-4

    def test_the_discrepancy_is_that_of_the_attributes(self, model):
        x, sexes = model.prepare(ROWS), tf.constant(SEXES)
        with training_step(model):
            batch = dict(x=x, labels=tf.constant(LABELS, tf.int32), attributes=sexes)
            terms = model.terms(batch)
            mean, log_variance = model.posterior(x, sexes)
            z = mean + tf.exp(0.5 * log_variance) * model.normal("latents", mean.shape)
            expected = fourier_discrepancy(z, sexes, model.stateless_seed("discrepancy"))
        np.testing.assert_allclose(terms["discrepancy"], expected, rtol=1e-5)
        entropy = keras.losses.sparse_categorical_crossentropy(LABELS, model.logits_of(z), True)
        np.testing.assert_allclose(terms["classification"], entropy, rtol=1e-5)

    def test_the_score_needs_no_label_and_repeats_itself(self, model):
        scores = model.score(ROWS, SEXES)
        np.testing.assert_array_equal(scores, model.score(ROWS, SEXES))
        assert scores.shape == (4,) and np.ptp(scores) > 0

    def test_an_attribute_that_is_not_of_two_values_is_refused(self, model):
        with pytest.raises(ValueError, match=r"integers in \[0, 1\]"):
            model.encode(ROWS, [0, 1, 2, 0])


def test_what_cannot_be_is_refused():
    networks = mlp_encoder((4,), 3, ()), mlp_encoder((3,), 2, ()), mlp_encoder((3,), 2, ())
    with pytest.raises(
        ValueError, match=r"of shape \(4,\): expected \(1,\), the shape of the vector"
    ):
        GRAD(*networks, columns=COLUMNS[:1])
    with pytest.raises(ValueError, match=r"returns \(1,\): expected features of shape \(3,\)"):
        GRAD(*networks[:2], mlp_encoder((3,), 1, ()))
    model = GRAD(*networks, columns=COLUMNS)
    with pytest.raises(ValueError, match=r"column work has the value sea: expected one of \?, c"):
        model.features(np.array([["39", "city"], ["40", "sea"]]))
    model.compile()
    with pytest.raises(ValueError, match="but got 2 arrays"):
        model.fit(model.prepare(ROWS), LABELS, verbose=0)
    with pytest.raises(ValueError, match=r"Rows have shape .*: expected \[batch, "):
        model.fit(ROWS[:, :1], (LABELS, SEXES), verbose=0)


def test_names_of_classes_are_not_names_of_attributes():
    model = TINY["GRAD"].build(3)
    model.name_classes([f"class {number}" for number in range(model.named_classes)])
    assert model.edges["labels"].names and not model.edges["attributes"].names
