import numpy as np
import pytest

from keras_gen.metrics import train_classifier


def labeled(n=60, channels=1):
    """Three classes of brightness."""
    labels = np.arange(n) % 3
    noise = np.random.default_rng(1).integers(0, 40, (n, 8, 8, channels))
    return (noise + 80 * labels[:, None, None, None]).astype("uint8"), labels


def test_classifier_learns_and_repeats_itself():
    images, labels = labeled(channels=3)
    first, second = (train_classifier(images, labels, steps=40, batch_size=16) for _ in range(2))
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
