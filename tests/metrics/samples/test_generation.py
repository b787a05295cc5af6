"""The report on samples: the parts are tested elsewhere, here that each is in its place."""

import numpy as np
import pytest

from keras_gen.metrics import (
    frechet_distance,
    generation_report,
    inception_score,
    kernel_distance,
    prdc,
)


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


def test_tells_a_perfect_from_a_collapsed_generator():
    real, perfect = outputs(200), outputs(200, seed=1)
    collapsed = {name: np.repeat(value[:1], 200, axis=0) for name, value in perfect.items()}
    good, bad = generation_report(real, perfect), generation_report(real, collapsed)
    assert good["frechet_distance"] < 0.5 < 3 < bad["frechet_distance"]
    assert abs(good["kernel_distance"]) < 4 * good["kernel_distance_error"]
    assert good["recall"] > 0.8 and bad["recall"] < 0.1
    assert good["coverage"] > 0.8 and bad["coverage"] < 0.1
    assert bad["inception_score"] == pytest.approx(1.0)


def test_needs_no_logits():
    report = generation_report(outputs(20), {"features": outputs(20, seed=1)["features"]})
    assert "inception_score" not in report and report["frechet_distance"] > 0


def test_refuses_too_few():
    with pytest.raises(ValueError, match="found 20 real and 9 generated"):
        generation_report(outputs(20), outputs(9))
