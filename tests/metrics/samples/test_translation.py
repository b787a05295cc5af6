import keras
import numpy as np
import pytest

from keras_gen.metrics import TranslationEvaluation, kernel_distance
from keras_gen.workshop.baselines import color_transfer, noise_filter


def images(n, mean, seed=0):
    """Uniform tints around `mean` with a little texture."""
    rng = np.random.default_rng([n, mean, seed])
    tint = rng.normal(mean, 20, size=(n, 1, 1, 3))
    return np.clip(tint + 10 * rng.normal(size=(n, 32, 32, 3)), 0, 255).astype("uint8")


def classifier(sign=1.0):
    """Features are the mean color, and bright images are the second domain, or dark ones."""
    x = keras.Input((None, None, 3), dtype="uint8")
    features = keras.layers.GlobalAveragePooling2D()(
        keras.layers.Rescaling(1 / 64.0, offset=-2.0)(x)
    )
    weights = keras.initializers.Constant(sign)
    logits = keras.layers.Reshape(())(keras.layers.Dense(1, kernel_initializer=weights)(features))
    return keras.Model(x, {"features": features, "logits": logits})


SOURCE, TARGET, REFERENCE = images(60, 64), images(50, 192), images(80, 192)


@pytest.fixture(scope="module")
def evaluate():
    classifiers = {"bright": classifier(), "dark": classifier(-1.0)}
    return TranslationEvaluation(classifiers, SOURCE, TARGET, REFERENCE)


@pytest.mark.thorough
def test_the_identity_gets_one_and_the_target_nothing(evaluate):
    identity, perfect = evaluate(SOURCE), evaluate(images(60, 192), cycled=SOURCE)
    assert identity["excess"] == identity["excess_normalized"] == identity["worst_excess"] == 1.0
    assert identity["distance_ratio"] == 1.0 and identity["ms_ssim"] == pytest.approx(1.0)
    assert "cycle_error" not in identity
    assert abs(perfect["excess"]) < 0.05 and abs(perfect["distance_ratio"]) < 0.05
    assert perfect["cycle_error"] == 0.0 and perfect["ms_ssim"] < 0.6
    far = np.where(SOURCE < 128, SOURCE + 60, SOURCE - 60).astype("uint8")
    assert evaluate(SOURCE, far)["cycle_error"] == 60
    assert all(type(value) is float for value in (identity | perfect).values())


@pytest.mark.thorough
def test_the_worst_scale_counts(evaluate):
    noisy = np.clip(images(60, 192) + 60.0 * (np.indices([32, 32]).sum(0) % 2)[..., None], 0, 255)
    report = evaluate(noisy.astype("uint8"))
    assert report["worst_excess"] > 2 * max(report["excess"], report["excess_normalized"])


@pytest.mark.thorough
def test_the_worst_classifier_counts(evaluate):
    translated = images(60, 160)
    report = evaluate(translated)
    bright = (classifier()(translated)["logits"].numpy() > 0).mean()
    assert report["target_fraction"] == pytest.approx(1 - bright) and bright > 0.5
    ratios = [report[f"distance_ratio_{name}"] for name in ("bright", "dark")]
    assert report["distance_ratio"] == max(ratios)
    accuracies = evaluate.accuracies()
    assert accuracies["classifier_accuracy_bright"] > 0.95
    assert sum(accuracies.values()) == pytest.approx(1.0)


@pytest.mark.thorough
def test_ratios_are_of_kernel_distances_of_the_features(evaluate):
    translated = images(60, 128)
    features = [classifier()(x)["features"].numpy() for x in (SOURCE, translated, TARGET)]
    source, found = (kernel_distance(x, features[2])[0] for x in features[:2])
    assert evaluate(translated)["distance_ratio_bright"] == pytest.approx(found / source, rel=1e-3)


@pytest.mark.thorough
def test_filters_are_measured_like_translations(evaluate):
    filtered = {
        "noise_filter": noise_filter(SOURCE),
        "color_transfer": color_transfer(SOURCE, evaluate.reference),
    }
    found = evaluate.measure_filtered(filtered)
    assert found["noise_filter_excess"] == evaluate(noise_filter(SOURCE))["excess"]
    # Tints are all that differs here, so moving colors is all that there is to do.
    assert abs(found["color_transfer_excess"]) < 0.2 < found["noise_filter_excess"]


@pytest.mark.thorough
def test_clear_errors(evaluate):
    for translated, message in (
        (SOURCE[:1], "expected the same shape"),
        (SOURCE.astype("float32"), r"uint8 \[n, H, W"),
        (SOURCE[:, :16, :16], "expected the same shape"),
    ):
        with pytest.raises(ValueError, match=message):
            evaluate(translated)
    with pytest.raises(ValueError, match="expected the same shape"):
        evaluate(SOURCE, SOURCE[:1])


def test_fewer_images_of_reference_than_of_source_are_mentioned():
    with pytest.warns(UserWarning, match="There are 3 reference images, but 4 source images"):
        TranslationEvaluation({}, SOURCE[:4], TARGET[:4], REFERENCE[:3])
