import keras
import numpy as np
import pytest

from keras_gen.metrics import cycle_error, kernel_distance, ssim, translation_report


def images(n, mean):
    """Uniform tints around `mean` with a little texture."""
    rng = np.random.default_rng([n, mean])
    tint = rng.normal(mean, 20, size=(n, 1, 1, 3))
    return np.clip(tint + 10 * rng.normal(size=(n, 16, 16, 3)), 0, 255).astype("uint8")


@pytest.fixture(scope="module")
def classifier():
    """Features are the mean color, and bright images are the second domain."""
    x = keras.Input((None, None, 3), dtype="uint8")
    features = keras.layers.GlobalAveragePooling2D()(
        keras.layers.Rescaling(1 / 64.0, offset=-2.0)(x)
    )
    logits = keras.layers.Dense(1, kernel_initializer="ones")(features)
    logits = keras.layers.Reshape(())(logits)
    return keras.Model(x, {"features": features, "logits": logits})


def test_report_of_the_identity_and_of_a_perfect_translation(classifier):
    source, target = images(60, 64), images(50, 192)
    identity = translation_report(classifier, source, source, target)
    assert identity["distance_ratio"] == 1.0
    assert identity["ssim"] == pytest.approx(1.0)
    assert identity["target_fraction_source"] == identity["target_fraction_translated"] < 0.1
    assert "cycle_error" not in identity

    perfect = translation_report(classifier, source, images(60, 192), target, cycled=source)
    assert abs(perfect["distance_ratio"]) < 0.05
    assert perfect["target_fraction_translated"] > 0.9
    assert perfect["cycle_error"] == 0.0
    assert perfect["ssim"] < 0.5
    assert all(type(value) is float for value in perfect.values())


def test_distances_are_kernel_distances_of_the_features(classifier):
    source, target = images(20, 64), images(30, 192)
    translated = images(20, 128)
    report = translation_report(classifier, source, translated, target)
    features = {
        name: classifier(x)["features"].numpy()
        for name, x in [("source", source), ("translated", translated), ("target", target)]
    }
    for name in ("source", "translated"):
        value, error = kernel_distance(features[name], features["target"])
        assert report[f"distance_{name}"] == pytest.approx(value, rel=1e-4)
        assert report[f"distance_{name}_error"] == pytest.approx(error, rel=1e-4)
    assert report["distance_ratio"] == report["distance_translated"] / report["distance_source"]


def test_cycle_error_is_in_levels_and_does_not_wrap():
    black, white = np.zeros([3, 16, 16, 3], "uint8"), np.full([3, 16, 16, 3], 255, "uint8")
    assert cycle_error(black, white) == cycle_error(white, black) == 255.0
    white[:, :8] = 0
    assert cycle_error(black, white) == 127.5


def test_what_is_kept_is_the_similarity_of_pairs(classifier, rng):
    source, translated = rng.integers(0, 256, size=(2, 5, 16, 16, 3), dtype="uint8")
    report = translation_report(classifier, source, translated, translated)
    assert report["ssim"] == pytest.approx(ssim(translated, source).mean())
    # A color of the same luma changes nothing: 0.299 R + 0.587 G = 0.299 * 100.
    red, green = np.zeros([2, 3, 16, 16, 3], "uint8")
    red[..., 0], green[..., 1] = 100, 51
    report = translation_report(classifier, red, green, translated)
    assert report["ssim"] == pytest.approx(1.0, abs=1e-3)


def test_clear_errors(classifier):
    x = np.zeros([2, 16, 16, 3], "uint8")
    for source, translated, message in (
        (x, x[:1], "of one shape"),
        (x, x.astype("float32"), "images to be uint8"),
        (x[..., :1], x[..., :1], r"images to be uint8 \[n, H, W, 3\]"),
    ):
        with pytest.raises(ValueError, match=message):
            translation_report(classifier, source, translated, x)
    with pytest.raises(ValueError, match="of one shape"):
        cycle_error(x, x[:1])
