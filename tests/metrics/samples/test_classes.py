"""Agreement with labels, and distances of single classes."""

import numpy as np
import pytest

from keras_gen.metrics import class_report, kernel_distance


def test_agreement_and_distances_by_class(rng):
    real, real_labels = rng.normal(size=(60, 4)), np.arange(60) % 3
    labels = np.repeat([0, 1, 2], 10)
    features = rng.normal(size=(30, 4)) + labels[:, None]
    found = labels.copy()
    found[[0, 10, 11]] = 2, 2, 0  # one of the first class is wrong, two of the second
    generated = {"features": features, "logits": np.eye(3)[found]}
    report = class_report({"features": real}, real_labels, generated, labels)
    assert report["agreement"] == pytest.approx(0.9)
    assert report["worst_agreement"] == pytest.approx(0.8)
    distances = [
        kernel_distance(real[real_labels == c], features[labels == c])[0] for c in range(3)
    ]
    assert report["class_distance"] == pytest.approx(np.mean(distances))
    assert report["worst_class_distance"] == pytest.approx(max(distances))


def test_labels_are_asked_for(rng):
    some = {"features": rng.normal(size=(9, 2)), "logits": rng.normal(size=(9, 3))}
    labels = np.arange(9) % 3
    for answers, asked in ((labels[1:], labels), (labels, labels[1:])):
        with pytest.raises(
            ValueError, match=r"pass one integer for each example|pass one label for each"
        ):
            class_report(some, answers, some, asked)
    broken = some | {"logits": np.full([9, 3], np.nan)}
    with pytest.raises(ValueError, match=r"logits to be numbers \[n, classes\].* and no NaN"):
        class_report(some, labels, broken, labels)
