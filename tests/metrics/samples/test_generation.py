"""The report on samples: the parts are tested elsewhere, here that each is in its place."""

import numpy as np
import pytest

from keras_gen.metrics import (
    GenerationEvaluation,
    frechet_distance,
    generation_report,
    inception_score,
    kernel_distance,
    prdc,
    pyramid_distances,
    sample_report,
)
from keras_gen.metrics.samples.generation import noisy, shifted, torn


def outputs(n, shift=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return {"features": rng.normal(shift, 1, (n, 6)), "logits": rng.normal(size=(n, 3))}


def test_equals_its_parts():
    real, generated = outputs(60), outputs(50, shift=0.5, seed=1)
    a, b = real["features"], generated["features"]
    report = generation_report(real, generated, k=3)
    assert report["frechet_distance"] == frechet_distance(a, b)["distance"]
    value = report["kernel_distance"], report["kernel_distance_error"]
    assert value == kernel_distance(a, b)
    balls = prdc(a, b, k=3)
    assert all(report[n] == balls[n] for n in ("precision", "recall", "density", "coverage"))
    assert (report["n_real"], report["n_generated"]) == (60, 50)
    score = report["inception_score"], report["inception_score_error"]
    assert score == inception_score(generated["logits"], from_logits=True)


def test_needs_no_logits():
    report = generation_report(outputs(20), {"features": outputs(20, seed=1)["features"]})
    assert "inception_score" not in report and report["frechet_distance"] > 0


# Several networks -------------------------------------------------------------------------------


def images(n, mean=120, noise=10, seed=0):
    """Flat grays, with noise on top."""
    rng = np.random.default_rng([seed, n])
    gray = rng.normal(mean, 20, (n, 1, 1, 1)) + noise * rng.normal(size=(n, 16, 16, 1))
    return np.clip(gray, 0, 255).astype("uint8")


def brightness(x):
    """Features that see no noise."""
    means = x.mean(axis=(1, 2)) / 64
    return {"features": np.concatenate([means, means**2], axis=1)}


def texture(x):
    """Features that see no brightness."""
    differences = np.diff(x.astype(float), axis=1)[:, ::5, ::5, 0]
    return {"features": np.sort(differences.reshape(len(x), -1), axis=1)}


NETWORKS = {"brightness": brightness, "texture": texture}
REAL, HELD_OUT = images(60), images(60, seed=1)


@pytest.fixture(scope="module")
def evaluate():
    return GenerationEvaluation(NETWORKS, REAL)


def test_as_many_images_as_real_ones_are_compared(evaluate):
    found = evaluate(HELD_OUT)
    assert next(iter(found)) == "kernel_distance"
    assert found["n_real"] == found["n_generated"] == 60
    for n in (59, 61):
        with pytest.raises(ValueError, match=f"got {n} images for 60 training images"):
            evaluate(images(n))


@pytest.mark.parametrize(
    ("generated", "displeased"),
    [(images(60, mean=210), "brightness"), (images(60, noise=30), "texture")],
)
def test_of_several_networks_the_worst_counts(evaluate, generated, displeased):
    found = evaluate(generated)
    (pleased,) = set(NETWORKS) - {displeased}
    features = NETWORKS[displeased]
    report = generation_report(features(REAL), features(generated))
    assert (found["n_real"], found["n_generated"]) == (report.pop("n_real"), 60)
    assert report.pop("n_generated") == 60
    assert {key: found[f"{key}_{displeased}"] for key in report} == report
    for key in ("precision", "recall", "density", "coverage"):
        assert found[key] == min(found[f"{key}_{name}"] for name in NETWORKS)
    assert found["precision"] == report["precision"] < 0.4 < found[f"precision_{pleased}"]
    for key in ("kernel_distance", "frechet_distance"):
        assert found[key] == max(found[f"{key}_{name}"] for name in NETWORKS)


def test_patches_need_no_network_and_contrast_counts():
    flat = images(60, noise=5)
    found = GenerationEvaluation({"texture": texture}, REAL, seed=3)(flat)
    options = dict(normalize=False, patches=8, directions=256, seed=3)
    assert found["pyramid_16"] == pyramid_distances(flat, REAL, **options)[16]


class Named:
    """An extractor of brightness."""

    name, accuracy = "brightness-0", 0.5

    def __call__(self, x):
        return brightness(x)


def test_several_sets_are_measured_alike():
    training = np.concatenate([REAL, REAL])[:130]
    copies = np.concatenate([REAL[:10], HELD_OUT[:50]])
    sets = {"": images(60, mean=210), "copies_": copies}
    found = sample_report({"one": Named()}, training, HELD_OUT, sets, seed=3)
    alone = GenerationEvaluation({"one": Named()}, training[:60], seed=3)
    for prefix, each in (sets | {"floor_": HELD_OUT}).items():
        for name, value in alone(each).items():
            assert found[prefix + name] == value, name
    # Of a tenth of the images, which here are copies.
    assert found["copies_memorized_fraction"] == 1 and found["memorized_fraction"] == 0
    assert (found["extractor_one"], found["extractor_accuracy_one"]) == ("brightness-0", 0.5)
    assert next(iter(found)) == "kernel_distance"
    for prefix, change in {"shifted_": shifted, "noisy_": noisy, "torn_": torn}.items():
        for name in ("kernel_distance", "frechet_distance", "kernel_distance_gradients"):
            assert found[prefix + name] == alone(change(HELD_OUT))[name]


def test_moved_and_torn_images():
    pixels = np.arange(2 * 4 * 3).reshape(2, 4, 3, 1)
    moved = shifted(pixels)
    np.testing.assert_array_equal(moved[:, :, 1:], pixels[:, :, :-1])
    np.testing.assert_array_equal(moved[:, :, 0], pixels[:, :, 0])
    parts = torn(pixels)
    np.testing.assert_array_equal(parts[:, :2], pixels[:, :2])
    np.testing.assert_array_equal(parts[:, 2:], pixels[::-1, 2:])
