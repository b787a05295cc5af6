"""Methods of domain adaptation, on features whose distances are known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.adaptation import ADDA, DANN, DomainConfusion
from keras_gen.classifiers import Classifier
from keras_gen.layers import reverse_gradient
from keras_gen.networks import mlp_encoder
from shared import with_sgd

SHAPE = (16, 16, 1)
SIZES = dict(classes=3, filters=2, hidden=4)
UNDECIDED = 2 * np.log(2)  # nats of both domains by a discriminator that tells nothing


def domains(examples=8):
    """Source images, labels, and brighter target images."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 128, (examples, *SHAPE), "uint8")
    return images, rng.integers(0, 3, examples), images + 100


def weights(network):
    return [w.numpy() for w in network.trainable_variables]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_dann_moves_the_encoder_against_the_discriminator_and_by_the_classifier():
    x, labels, target = domains()
    model = DANN.for_images(SHAPE, **SIZES, discriminator_hidden=(), weight=0.5)
    model.compile(keras.optimizers.SGD(1.0))
    images = tf.concat([model.prepare(x), model.prepare(target)], axis=0)
    own = [w.value for w in model.encoder.trainable_variables]
    with tf.GradientTape(persistent=True) as tape:
        features = model.encoder(images)
        logits = model.classifier(features[:8])
        class_loss = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        of_domains = tf.repeat([0, 1], 8)
        entropy = keras.losses.sparse_categorical_crossentropy(
            of_domains, model.discriminator(features), from_logits=True
        )
        class_loss = tf.reduce_mean(class_loss)
        d_loss = 2 * tf.reduce_mean(entropy)  # the sum of the domains' means
    for_classes, for_domains = tape.gradient(class_loss, own), tape.gradient(d_loss, own)
    of_discriminator = tape.gradient(
        d_loss, [w.value for w in model.discriminator.trainable_variables]
    )
    before = weights(model.encoder), weights(model.discriminator)
    logs = model.train_step((x, labels, target))
    for old, new, a, b in zip(
        before[0], weights(model.encoder), for_classes, for_domains, strict=True
    ):
        np.testing.assert_allclose(new, old - a + 0.5 * b, atol=1e-5)
    for old, new, slope in zip(
        before[1], weights(model.discriminator), of_discriminator, strict=True
    ):
        np.testing.assert_allclose(new, old - slope, atol=1e-5)
    np.testing.assert_allclose(logs["loss"], class_loss, rtol=1e-5)
    np.testing.assert_allclose(logs["d_loss"], d_loss, rtol=1e-5)


def test_reversed_gradients_of_half_precision_and_schedules():
    x = tf.constant([2.0], "float16")
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = reverse_gradient(x, tf.constant(0.25)) * 4.0
    assert y.dtype == "float16" and float(y[0]) == 8.0
    assert float(tape.gradient(y, x)[0]) == -1.0


def test_confusion_is_least_where_the_discriminator_is_undecided():
    model = DomainConfusion.for_images(SHAPE, **SIZES, discriminator_hidden=())
    features = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    weight, bias = model.discriminator.trainable_variables
    surely = model.confusion(features).numpy().sum()
    weight.assign(np.zeros(weight.shape))
    undecided = model.confusion(features).numpy()
    np.testing.assert_allclose(undecided, UNDECIDED / 2, rtol=1e-6)
    assert surely > undecided.sum()
    loss, right = model.domain_loss(tf.constant(features), tf.constant(features))
    np.testing.assert_allclose(loss, UNDECIDED, rtol=1e-6)
    bias.assign([9.0, 0.0])  # the source is always its answer
    _, right = model.domain_loss(tf.constant(features), tf.constant(features))
    np.testing.assert_array_equal(right, [1.0] * 5 + [0.0] * 5)


def test_confusion_moves_the_encoder_by_both_domains():
    x, labels, target = domains()
    model = DomainConfusion.for_images(SHAPE, **SIZES, discriminator_hidden=(), weight=0.5)
    with_sgd(model, 1.0, 0.0)
    own = [w.value for w in model.encoder.trainable_variables]
    with tf.GradientTape() as tape:
        source, other = (model.encoder(model.prepare(images)) for images in (x, target))
        logits = model.classifier(source)
        entropy = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        confusion = tf.reduce_mean(model.confusion(source) + model.confusion(other))
        total = tf.reduce_mean(entropy) + 0.5 * confusion
    slopes, before = tape.gradient(total, own), weights(model.encoder)
    logs = model.train_step((x, labels, target))
    for old, new, slope in zip(before, weights(model.encoder), slopes, strict=True):
        np.testing.assert_allclose(new, old - slope, atol=1e-5)
    np.testing.assert_allclose(logs["confusion_loss"], confusion, rtol=1e-5)


def test_adda_changes_the_encoder_of_the_target_alone():
    source = Classifier.for_images(SHAPE, **SIZES)
    model = ADDA.from_source(source, discriminator_hidden=(4,))
    x, labels, target = domains()
    np.testing.assert_array_equal(model.classify(x), source.classify(x))
    model.compile(optimizer=keras.optimizers.SGD(1.0), d_optimizer=keras.optimizers.SGD(1.0))
    before = {name: weights(network) for name, network in model.networks.items()}
    model.fit(tf.data.Dataset.from_tensor_slices((x, labels, target)).batch(4), verbose=0)
    changed = {n for n, network in model.networks.items() if not same(before[n], weights(network))}
    assert changed == {"encoder", "discriminator"}
    assert same(weights(source.encoder), before["source_encoder"])
    assert not np.array_equal(model.classify(target), source.classify(target))


@pytest.mark.thorough
def test_labels_of_the_target_are_for_evaluate_only():
    x, labels, target = domains()
    data = tf.data.Dataset.from_tensor_slices((x, labels, target))
    model = DANN.for_images(SHAPE, **SIZES)
    model.compile(keras.optimizers.SGD(0.0))
    model.fit(data.batch(4), validation_data=(target, labels), verbose=0)
    found = model.evaluate(target, labels, return_dict=True, verbose=0)
    right = np.mean(model.classify(target).argmax(1) == labels)
    assert found["accuracy"] == pytest.approx(right) and "d_loss" not in found
    none = model.evaluate(target, np.full(len(target), -1), return_dict=True, verbose=0)
    assert np.isnan(none["accuracy"])
    column = model.evaluate(target, labels[:, None], return_dict=True, verbose=0)
    assert column["loss"] == pytest.approx(found["loss"])
    four = data.map(lambda *parts: (*parts, parts[1]))
    with pytest.raises(ValueError, match="but got 4 arrays"):
        model.fit(four.batch(4), verbose=0)
    with pytest.raises(ValueError, match="only labeled images: also pass target images to fit"):
        model.fit(x, labels, verbose=0)


def test_examples_without_a_label_have_no_loss():
    x, labels, _ = domains()
    model = Classifier.for_images(SHAPE, **SIZES)
    model.compile()
    some = np.where(np.arange(8) < 6, labels, -1)
    found = model.evaluate(x, some, batch_size=8, return_dict=True, verbose=0)
    known = model.evaluate(x[:6], labels[:6], batch_size=6, return_dict=True, verbose=0)
    assert found["accuracy"] == pytest.approx(known["accuracy"])
    assert found["loss"] == pytest.approx(known["loss"] * 6 / 8, rel=1e-5)
    none = model.evaluate(x, np.full(8, -1), return_dict=True, verbose=0)
    assert np.isnan(none["accuracy"]) and none["loss"] == 0
    assert model.features(x).shape == (8, 4) and (model.features(x) >= 0).all()


def own_classifier(activation=None):
    """As users have them: images in, logits or probabilities out."""
    layers = [keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(4, "relu")]
    return keras.Sequential([*layers, keras.layers.Dense(3, activation)], name="own")


def test_own_classifiers_are_split_before_their_last_layer():
    x, labels, target = domains()
    own = own_classifier()
    expected = own.predict(x / 255, verbose=0)
    for model in (ADDA.from_source(own, discriminator_hidden=(3,)), DANN(own)):
        np.testing.assert_allclose(model.classify(x), expected, atol=1e-4)
        assert model.features(x).shape == (8, 4)
        copy = type(model).from_config(model.get_config())
        assert copy.discriminator.output_shape == (None, 2)
    model.compile(run_eagerly=True)
    model.fit(x, labels, target, batch_size=8, verbose=0)  # DANN's parts by their places
    assert not np.allclose(own.predict(x / 255, verbose=0), expected)


def test_the_way_out_of_a_softmax_is_as_it_says():
    own = own_classifier("softmax")
    with pytest.raises(ValueError, match=r"'own' ends in a softmax, .* with `(.*)`") as caught:
        DANN(own)
    names = {"keras": keras, "model": own}
    exec(str(caught.value).split("`")[1], names)
    x = domains()[0] / 255
    logits = names["logits"].predict(x, verbose=0)
    found = keras.ops.softmax(logits)
    np.testing.assert_allclose(found, own.predict(x, verbose=0), atol=1e-5)
    DANN(names["logits"])
    own = own_classifier()
    last = keras.Model(own.inputs, keras.layers.Softmax()(own.outputs[0]))
    with pytest.raises(ValueError, match=r"with `logits = keras\.Model\(model\.inputs"):
        DANN(last)


def test_what_cannot_be_split():
    pooled = keras.Sequential([keras.Input(SHAPE), keras.layers.GlobalAveragePooling2D()])
    with pytest.raises(ValueError, match="ends in GlobalAveragePooling2D: expected a dense"):
        DANN(pooled)


def test_what_does_not_fit():
    x, labels, target = domains()
    encoder, head = mlp_encoder(SHAPE, 5, (6,)), mlp_encoder((5,), 3, ())
    with pytest.raises(ValueError, match=r"returns \(1,\): expected features of shape \(5,\)"):
        DANN(encoder, head, mlp_encoder((5,), 1, ()))
    with pytest.raises(ValueError, match=r"accepts \(4,\) and returns \(2,\)"):
        DomainConfusion(encoder, head, mlp_encoder((4,), 2, ()))
    with pytest.raises(ValueError, match=r"source_encoder returns features of shape \(6,\): expec"):
        ADDA(encoder, head, mlp_encoder((5,), 2, ()), mlp_encoder(SHAPE, 6, ()))
    with pytest.raises(TypeError, match=r"use ADDA\.from_source"):
        ADDA.for_images(SHAPE)
    model = DANN.for_images(SHAPE, **SIZES)
    model.compile()
    for bad, message in ((target[:, :15], r"expected \["), (target.astype("int32"), "int32")):
        data = tf.data.Dataset.from_tensor_slices((x, labels, bad))
        with pytest.raises((ValueError, TypeError), match=message):
            model.fit(data.batch(4), verbose=0)
    with pytest.raises(ValueError, match="99"):
        model.fit(tf.data.Dataset.from_tensor_slices((x, labels + 99, target)).batch(4), verbose=0)
