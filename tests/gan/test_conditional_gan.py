"""Labels: that they reach both networks, in training, in samples and served."""

import keras
import numpy as np
import pytest

from all_tiny import TINY
from keras_gen.data import Source
from keras_gen.gan import ConditionalGAN
from keras_gen.serving.exported import read_metadata
from shared import losses_of, softplus, with_sgd

LATENTS, CLASSES = 2, 4


class OneHot(keras.layers.Layer):
    """The label as the image; the latents only take part."""

    def build(self, shapes):
        self.bias = self.add_weight(shape=(CLASSES,), initializer="zeros")

    def call(self, inputs):
        latents, labels = inputs
        return keras.ops.one_hot(labels, CLASSES) + self.bias + 0 * latents[:, :1]


class Bilinear(keras.layers.Layer):
    """A kernel and a bias of its own for each class."""

    def build(self, shapes):
        self.kernel = self.add_weight(shape=(CLASSES, CLASSES))
        self.bias = self.add_weight(shape=(CLASSES,))

    def call(self, inputs):
        x, labels = inputs
        kernel, bias = (keras.ops.take(v, labels, axis=0) for v in (self.kernel, self.bias))
        return keras.ops.sum(kernel * x, axis=-1) + bias


def player(layer, size):
    inputs = [keras.Input((size,)), keras.Input((), dtype="int32")]
    return keras.Model(inputs, layer(inputs))


def conditional(kernel=None, bias=None, rate=0.0, **options):
    model = ConditionalGAN(
        player(OneHot(), LATENTS), player(Bilinear(), CLASSES), classes=CLASSES, **options
    )
    if kernel is not None:
        model.discriminator.set_weights([kernel, bias])
    return with_sgd(model, rate, rate)


@pytest.fixture
def critic(rng):
    """Kernels [class, value] and biases of the discriminator."""
    return rng.normal(size=(CLASSES, CLASSES)), rng.normal(size=CLASSES)


@pytest.fixture
def batch(rng):
    x = rng.uniform(-1, 1, (6, CLASSES)).astype("float32")
    return x, np.array([2, 0, 3, 3, 1, 0])


def losses(critic, x, labels):
    """Eq. (2) of Mirza & Osindero, without saturation: fakes are one-hot labels."""
    kernel, bias = critic
    real = np.sum(kernel[labels] * x, axis=1) + bias[labels]
    fake = kernel[labels, labels] + bias[labels]
    d_loss = (softplus(-real) + softplus(fake)).mean()
    return {"d_loss": d_loss, "g_loss": softplus(-fake).mean()}


def found(model, x, labels, training=False):
    logs = losses_of(model, x, labels, training=training)
    return {name: logs[name] for name in ("d_loss", "g_loss")}


def classes(images):
    """Of which class images are that are one-hot labels."""
    np.testing.assert_array_equal(np.sort(images), [[128, 128, 128, 255]] * len(images))
    return images.argmax(axis=1)


def test_both_networks_know_the_labels_of_the_batch(critic, batch):
    x, labels = batch
    model = conditional(*critic)
    for training in (False, True):
        expected = losses(critic, x, labels)
        assert found(model, x, labels, training) == pytest.approx(expected, rel=1e-5)
    others = losses(critic, x, np.roll(labels, 1))
    assert abs(expected["d_loss"] - others["d_loss"]) > 0.01


def test_labels_stay_with_their_images_in_the_k_updates(critic, batch):
    x, labels = batch
    model = conditional(*critic, discriminator_steps=2)
    # What the last update and the generator's are on: every second example.
    expected = losses(critic, x[1::2], labels[1::2])
    assert found(model, x, labels, training=True) == pytest.approx(expected, rel=1e-5)


def test_the_penalty_is_of_the_discriminator_given_the_labels(critic, batch):
    x, labels = batch
    model = conditional(*critic, penalty="r1")
    slopes = np.sum(critic[0][labels] ** 2, axis=1)
    expected = losses(critic, x, labels)["d_loss"] + 5 * slopes.mean()
    assert found(model, x, labels)["d_loss"] == pytest.approx(expected, rel=1e-5)


def test_samples_are_of_the_class_that_is_asked_for():
    model = conditional()
    for label in range(CLASSES):
        np.testing.assert_array_equal(classes(model.sample(3, seed=0, label=label)), [label] * 3)
    asked = [2, 0, 3, 0, 1]
    for batch_size in (64, 2):
        images = model.sample(5, seed=0, batch_size=batch_size, label=asked)
        np.testing.assert_array_equal(classes(images), asked)
    latents = np.zeros((5, LATENTS), "float32")
    np.testing.assert_array_equal(classes(model.generate(latents, np.array(asked))), asked)


NAMES = ["flat", "round", "tall", "wide"]


@pytest.mark.thorough
def test_names_of_classes(batch):
    x, labels = batch
    model = conditional()
    texts = np.array(NAMES)[labels]
    with pytest.raises(ValueError, match=r"^ConditionalGAN got y as an array of strings"):
        model.fit(x[:2], texts[:2], verbose=0)  # of two classes alone
    model.fit(x, texts, batch_size=6, verbose=0)
    assert model.class_names == tuple(NAMES)
    np.testing.assert_array_equal(classes(model.sample(2, seed=0, label=["wide", "flat"])), [3, 0])
    np.testing.assert_array_equal(classes(model.sample(2, seed=0, label="tall")), [2, 2])
    with pytest.raises(ValueError, match="the name 'round ': expected one of flat, round, tall"):
        model.sample(2, label="round ")
    with pytest.raises(
        ValueError, match=r"^ConditionalGAN got 1 names, flat: expected 4, one per class"
    ):
        model.name_classes(["flat"])

    others = Source((x, labels), class_names=["a", "b", "c", "d"])
    sentence = (
        r"^The classes of the data are a, b, c, d, but the model's classes are flat, .*name_class"
    )
    with pytest.raises(ValueError, match=sentence):
        model.fit(others, batch_size=6, verbose=0)
    model.name_classes(others.class_names)
    model.fit(others, batch_size=6, verbose=0)


def test_names_of_classes_are_saved_and_exported(tmp_path):
    model = TINY["ConditionalGAN"].build(0)
    names = NAMES[: model.classes]
    model.name_classes(names)
    assert type(model).from_config(model.get_config()).class_names == tuple(names)
    path = model.export(tmp_path / "gan", signatures=["sample"])
    assert read_metadata(path)["class_names"] == names


def test_samples_are_of_all_classes_by_default():
    model = conditional()
    drawn = classes(model.sample(400, seed=0))
    # 100 of each class, with a deviation of 8.7.
    assert (np.abs(np.bincount(drawn, minlength=CLASSES) - 100) < 35).all()
    assert np.corrcoef(drawn[1:], drawn[:-1])[0, 1] < 0.2
    assert (classes(model.sample(400, seed=1)) != drawn).mean() > 0.6


def test_labels_that_are_none_are_refused_in_fit(batch):
    x, labels = batch
    model = conditional()
    with pytest.raises(ValueError, match=r"^Labels range from -1 to 3: expected integers"):
        model.fit(x, np.where(np.arange(6) == 4, -1, labels), batch_size=6, verbose=0)
    assert model.step.numpy() == 0
