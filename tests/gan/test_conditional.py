"""Labels: that they reach both networks, in training, in samples and served."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.gan import ConditionalGAN
from keras_gen.serving.export import export, load

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
    model.compile(d_optimizer=keras.optimizers.SGD(rate), g_optimizer=keras.optimizers.SGD(rate))
    return model


@pytest.fixture
def judge(rng):
    """Kernels [class, value] and biases of the discriminator."""
    return rng.normal(size=(CLASSES, CLASSES)), rng.normal(size=CLASSES)


@pytest.fixture
def batch(rng):
    x = rng.uniform(-1, 1, (6, CLASSES)).astype("float32")
    return x, np.array([2, 0, 3, 3, 1, 0])


def softplus(x):
    return np.logaddexp(0, x)


def losses(judge, x, labels):
    """Eq. (2) of Mirza & Osindero, without saturation: fakes are one-hot labels."""
    kernel, bias = judge
    real = np.sum(kernel[labels] * x, axis=1) + bias[labels]
    fake = kernel[labels, labels] + bias[labels]
    return (softplus(-real) + softplus(fake)).mean(), softplus(-fake).mean()


def step(model, x, labels, training=False):
    model.reset_metrics()
    run = model.train_step if training else model.test_step
    logs = run((tf.constant(x), tf.constant(labels)))
    return float(logs["d_loss"]), float(logs["g_loss"])


def classes(images):
    """Of which class images are that are one-hot labels."""
    np.testing.assert_array_equal(np.sort(images), [[128, 128, 128, 255]] * len(images))
    return images.argmax(axis=1)


def test_both_networks_know_the_labels_of_the_batch(judge, batch):
    x, labels = batch
    model = conditional(*judge)
    for training in (False, True):
        assert step(model, x, labels, training) == pytest.approx(losses(judge, x, labels), rel=1e-5)
    assert abs(losses(judge, x, labels)[0] - losses(judge, x, np.roll(labels, 1))[0]) > 0.01


def test_labels_stay_with_their_images_in_the_k_updates(judge, batch):
    x, labels = batch
    model = conditional(*judge, discriminator_steps=2)
    # What the last update and the generator's are on: every second example.
    expected = losses(judge, x[1::2], labels[1::2])
    assert step(model, x, labels, training=True) == pytest.approx(expected, rel=1e-5)


def test_the_penalty_is_of_the_discriminator_given_the_labels(judge, batch):
    x, labels = batch
    model = conditional(*judge, penalty="r1")
    d_loss, _ = losses(judge, x, labels)
    slopes = np.sum(judge[0][labels] ** 2, axis=1)
    assert step(model, x, labels)[0] == pytest.approx(d_loss + 5 * slopes.mean(), rel=1e-5)


def test_each_class_trains_its_own_weights(judge, batch):
    x, labels = batch
    model = conditional(*judge, rate=0.1)
    only = labels == 3
    step(model, x[only], labels[only], training=True)
    moved = model.discriminator.get_weights()[0] != judge[0].astype("float32")
    np.testing.assert_array_equal(moved.all(axis=1), np.arange(CLASSES) == 3)
    np.testing.assert_array_equal(moved.any(axis=1), np.arange(CLASSES) == 3)


def test_samples_are_of_the_class_that_is_asked_for():
    model = conditional()
    for label in range(CLASSES):
        np.testing.assert_array_equal(classes(model.sample(3, seed=0, label=label)), [label] * 3)
    asked = [2, 0, 3, 0, 1]
    for batch_size in (64, 2):
        images = model.sample(5, seed=0, batch_size=batch_size, label=asked)
        np.testing.assert_array_equal(classes(images), asked)
    # -1 asks for any class, here of some.
    np.testing.assert_array_equal(classes(model.sample(3, seed=0, label=[1, -1, 2]))[::2], [1, 2])
    latents = np.zeros((5, LATENTS), "float32")
    np.testing.assert_array_equal(classes(model.generate(latents, np.array(asked))), asked)


def test_samples_are_of_all_classes_by_default():
    model = conditional()
    drawn = classes(model.sample(400, seed=0))
    # 100 of each class, with a deviation of 8.7.
    assert (np.abs(np.bincount(drawn, minlength=CLASSES) - 100) < 35).all()
    assert np.corrcoef(drawn[1:], drawn[:-1])[0, 1] < 0.2
    np.testing.assert_array_equal(drawn, classes(model.sample(400, seed=0, label=-1)))
    assert (classes(model.sample(400, seed=1)) != drawn).mean() > 0.6


REFUSED_SAMPLES = [
    (dict(label=4), ValueError, r"^Labels have values from 4 to 4: expected integers in \[-1, 3\]"),
    (dict(label=[0, -2, 1]), ValueError, "^Labels have values from -2 to 1: "),
    (dict(label=1.0), TypeError, "^Labels have dtype float32: expected integers"),
    (dict(label=[0, 1]), ValueError, "^There are 2 label for n=3"),
    (dict(color=1), TypeError, "^ConditionalGAN.sample has no condition 'color': it has label, "),
]


@pytest.mark.parametrize("conditions, kind, message", REFUSED_SAMPLES)
def test_wrong_conditions_are_refused_in_one_sentence(conditions, kind, message):
    with pytest.raises(kind, match=message) as caught:
        conditional().sample(3, seed=0, **conditions)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_the_export_takes_a_label(tmp_path):
    model = conditional()
    exported = load(export(model, tmp_path, "conditional"))
    assert exported.inputs["sample"].keys() == {"seed", "n", "label", "truncation"}
    for label in (2, -1):
        images = exported("sample", seed=5, n=6, label=label, truncation=10.0)["images"]
        np.testing.assert_array_equal(images, model.sample(6, seed=5, label=label))
    latents, labels = np.zeros((3, LATENTS), "float32"), [0, 3, 1]
    images = exported("generate", latents=latents, labels=labels)["images"]
    np.testing.assert_array_equal(classes(images), labels)


def test_labels_that_are_none_are_refused_in_fit(batch):
    x, labels = batch
    model = conditional()
    for bad, message in ((4, "from 0 to 4: expected integers"), (-1, "from -1 to 3: expected")):
        with pytest.raises(ValueError, match=rf"^Labels have values {message}"):
            model.fit(x, np.where(np.arange(6) == 4, bad, labels), batch_size=6, verbose=0)
    with pytest.raises(TypeError, match="Labels have dtype float32: expected integers"):
        model.fit(x, labels.astype("float32"), verbose=0)
    with pytest.raises(ValueError, match=r"x \(images\), labels \(labels\), but got 1 arrays"):
        model.fit(x, verbose=0)
    assert model.step.numpy() == 0
    model.fit(x, labels, verbose=0)
    assert model.step.numpy() == 1


def test_networks_that_know_no_labels_are_refused():
    known, unknown = player(OneHot(), LATENTS), keras.Sequential([keras.Input((CLASSES,))])
    unknown.add(keras.layers.Dense(1))
    with pytest.raises(ValueError, match="has 1 inputs: ConditionalGAN gives it 2"):
        ConditionalGAN(known, unknown, classes=CLASSES)
    with pytest.raises(ValueError, match="classes is 0"):
        ConditionalGAN(known, player(Bilinear(), CLASSES), classes=0)
