import keras
import numpy as np
import pytest

from keras_gen.metrics import train_classifier
from keras_gen.metrics.evaluation_networks.image_classifier import build_classifier, fit_logits

KINDS = ("conv", "mlp")


def labeled(n=60, channels=1):
    """Three classes of brightness."""
    labels = np.arange(n) % 3
    noise = np.random.default_rng(1).integers(0, 40, (n, 8, 8, channels))
    return (noise + 80 * labels[:, None, None, None]).astype("uint8"), labels


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_classifier_learns_and_repeats_itself(kind):
    images, labels = labeled(channels=3)
    settings = dict(steps=40, batch_size=16, kind=kind)
    first, second = (train_classifier(images, labels, **settings) for _ in range(2))
    outputs = first(images)
    assert outputs["features"].shape == (60, 128) and outputs["logits"].shape == (60, 3)
    assert (outputs["logits"].numpy().argmax(axis=1) == labels).mean() > 0.9
    np.testing.assert_allclose(outputs["logits"], second(images)["logits"], atol=1e-3)


def test_clear_errors():
    images, labels = labeled(12)
    for bad in (labels / 1.0, labels[:5], 0 * labels, labels - 1):
        with pytest.raises(ValueError, match="one whole number for each image"):
            train_classifier(images, bad)
    with pytest.raises(ValueError, match="at least 8"):
        train_classifier(images[:, :7], labels)
    with pytest.raises(ValueError, match="kind is 'dense'"):
        train_classifier(images, labels, kind="dense")


@pytest.mark.parametrize("kind", KINDS)
def test_weights_follow_from_the_seed_alone_and_are_float32(kind):
    keras.config.set_dtype_policy("mixed_bfloat16")
    first, again, other = (build_classifier((8, 8, 1), 3, s, kind).get_weights() for s in (1, 1, 2))
    for ours, theirs in zip(first, again, strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_array_equal(ours, theirs)
    assert (first[0] != other[0]).all()
    outputs = build_classifier((8, 8, 1), 3, kind=kind)(labeled()[0])
    assert {value.dtype.name for value in outputs.values()} == {"float32"}


def test_kinds_look_at_textures_or_at_places():
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 1), "uint8")
    margin = np.zeros([1, 64, 64, 1], "uint8")
    left, right = margin.copy(), margin.copy()
    left[:, 16:48, :32], right[:, 16:48, 32:] = image, image
    moved = {}
    for kind in KINDS:
        model = build_classifier((64, 64, 1), 3, kind=kind)
        a, b = (model(x)["features"].numpy() for x in (left, right))
        moved[kind] = np.linalg.norm(a - b) / np.linalg.norm(a)
    assert moved["conv"] < 0.3 < moved["mlp"]


class Slope(keras.losses.Loss):
    """The labels times the logits: a gradient that the weights do not change."""

    def call(self, y_true, y_pred):
        return y_true * y_pred


@pytest.mark.parametrize("steps", [1, 2, 10])
def test_each_batch_is_one_step_of_adamw_with_a_rate_along_a_cosine(steps):
    x = keras.Input((1,))
    y = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(x)
    model = keras.Model(x, {"features": x, "logits": y})
    seen = []

    def batches():
        for step in range(steps):
            seen.append(step)
            yield np.ones([4, 1], "float32"), np.ones([4, 1], "float32")

    fit_logits(model, Slope(), batches(), steps, learning_rate=0.01)
    # Adam's steps along a constant gradient have the length of the rate, and decay comes first.
    wanted = 1.0
    for rate in 0.01 * (1 + np.cos(np.pi * np.arange(steps) / steps)) / 2:
        wanted = wanted * (1 - 1e-3 * rate) - rate
    assert model.get_weights()[0].item() == pytest.approx(wanted, abs=1e-6)
    assert seen == list(range(steps))
