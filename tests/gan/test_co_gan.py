"""CoGAN: pairs of what two domains share, both losses, and classes learned from X."""

import keras
import numpy as np
import pytest
from scipy.special import log_softmax

from keras_gen.gan import CoGAN
from keras_gen.networks import co_gan_discriminator, co_gan_generator
from shared import losses_of, softplus, with_sgd

VALUES = 3
CLASSES = 4


def _generator(images=((0.0,) * VALUES,) * 2):
    """Makes the same pair of all latents."""
    layer = keras.layers.Dense(2 * VALUES)
    reshape = keras.layers.Reshape((2, VALUES))
    network = keras.Sequential([keras.Input((2,)), layer, reshape])
    layer.set_weights([np.zeros((2, 2 * VALUES)), np.ravel(images)])
    return network


def _discriminator(kernel, class_kernel=None):
    """The same linear logits of both domains."""
    pairs = keras.Input((2, VALUES))
    layer = keras.layers.Dense(1, use_bias=False)
    outputs = [keras.layers.Reshape((2,))(layer(pairs))]
    if class_kernel is not None:
        classes = keras.layers.Dense(CLASSES, use_bias=False)
        outputs.append(classes(pairs))
    network = keras.Model(pairs, outputs if len(outputs) > 1 else outputs[0])
    layer.set_weights([kernel])
    if class_kernel is not None:
        classes.set_weights([class_kernel])
    return network


@pytest.fixture
def kernel(rng):
    return rng.normal(size=(VALUES, 1)).astype("float32")


@pytest.fixture
def class_kernel(rng):
    return rng.normal(size=(VALUES, CLASSES)).astype("float32")


def test_losses_are_the_mean_of_both_domains(rng, kernel):
    fake = rng.normal(size=(2, VALUES)).astype("float32")
    x = rng.normal(size=(4, VALUES)).astype("float32")
    y = rng.normal(size=(4, VALUES)).astype("float32")
    model = CoGAN(_generator(fake), _discriminator(kernel), data="vectors", penalty="r1")
    model = with_sgd(model, 0.0, 0.0)
    of_real = softplus(-np.stack([x @ kernel, y @ kernel])).mean()
    of_fake = fake @ kernel
    expected = {
        # The penalty is the mean of the penalties on both logits.
        "d_loss": of_real + softplus(of_fake).mean() + 5 * np.sum(kernel**2),
        "g_loss": softplus(-of_fake).mean(),
    }
    for training in (False, True):
        logs = losses_of(model, x, y, training=training)
        assert {k: logs[k] for k in expected} == pytest.approx(expected, rel=1e-4)


def test_classes_are_learned_from_x_and_read_from_y(rng, kernel, class_kernel):
    x = rng.normal(size=(4, VALUES)).astype("float32")
    y = rng.normal(size=(4, VALUES)).astype("float32")
    labels = np.array([3, 0, 1, 1])
    networks = _generator(), _discriminator(kernel, class_kernel)
    model = with_sgd(CoGAN(*networks, class_weight=2.0, data="vectors"), 0.0, 0.0)
    right = log_softmax(x @ class_kernel, axis=1)[np.arange(4), labels]
    logs = losses_of(model, x, y, labels, training=True)
    assert logs["class_loss"] == pytest.approx(-right.mean(), rel=1e-4)
    of_real = softplus(-np.stack([x @ kernel, y @ kernel])).mean()
    assert logs["d_loss"] == pytest.approx(of_real + np.log(2) - 2 * right.mean(), rel=1e-4)
    np.testing.assert_allclose(model.classify(y), y @ class_kernel, rtol=1e-4)
    assert list(model.signatures()) == ["classify", "generate", "sample"]


def test_both_images_of_a_drawn_pair_are_of_the_class_of_the_first(rng, kernel, class_kernel):
    fake = rng.normal(size=(2, VALUES)).astype("float32")
    x, y = np.zeros((2, 4, VALUES), "float32")
    labels = np.zeros(4, int)
    networks = _generator(fake), _discriminator(kernel, class_kernel)
    model = with_sgd(CoGAN(*networks, pair_weight=3.0, data="vectors"), 0.1, 0.0)
    first, second = log_softmax(fake @ class_kernel, axis=1)
    expected = np.sum(np.exp(first) * (first - second))
    assert expected > 0.01
    logs = losses_of(model, x, y, labels, training=True)
    assert logs["pair_loss"] == pytest.approx(expected, rel=1e-4)
    without = softplus(0.0) + softplus(fake @ kernel).mean() + np.log(CLASSES)
    assert logs["d_loss"] == pytest.approx(without + 3 * expected, rel=1e-4)
    # Classes are learned from the second image alone: the images of X are zeros.
    after = model.discriminator.layers[-1].get_weights()[0]
    probabilities = np.exp(second) - np.exp(first)
    np.testing.assert_allclose(
        class_kernel - after, 0.3 * np.outer(fake[1], probabilities), rtol=1e-3, atol=1e-6
    )


def test_without_classes_there_is_nothing_to_classify(kernel):
    model = CoGAN(_generator(), _discriminator(kernel), data="vectors")
    assert list(model.signatures()) == ["generate", "sample"]
    with pytest.raises(
        ValueError, match="This CoGAN has no classes: pass the number of classes to co_gan"
    ):
        model.classify(np.zeros((1, VALUES), "float32"))
    with pytest.raises(ValueError, match=r"pair_weight is 0\.5, but the discriminator has no cl"):
        CoGAN(_generator(), _discriminator(kernel), data="vectors", pair_weight=0.5)


def test_only_the_last_layers_of_the_generators_and_the_first_of_the_discriminators_differ():
    generator = co_gan_generator((12, 8, 1), latent_dim=3, filters=4)
    latents = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
    pairs = generator(latents).numpy()
    assert pairs.shape == (2, 2, 12, 8, 1)
    last = [generator.get_layer(f"last_{domain}") for domain in "xy"]
    last[1].set_weights(last[0].get_weights())
    pairs = generator(latents).numpy()
    np.testing.assert_array_equal(pairs[:, 0], pairs[:, 1])

    discriminator = co_gan_discriminator((12, 8, 1), CLASSES, filters=4, hidden=5)
    first = [layer for layer in discriminator.layers if isinstance(layer, keras.layers.Conv2D)]
    ours = [layer for layer in first if layer.filters == 4]
    assert len(ours) == 2 and len(first) == 3
    ours[1].set_weights(ours[0].get_weights())
    logits, classes = discriminator(pairs)
    np.testing.assert_allclose(logits[:, 0], logits[:, 1], rtol=1e-6)
    np.testing.assert_allclose(classes[:, 0], classes[:, 1], rtol=1e-6)
