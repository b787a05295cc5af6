import numpy as np
import pytest

from keras_gen.metrics import prdc


def brute(real, generated, k):
    """The definitions, one pair at a time."""

    def radius(points, i):
        return sorted(np.linalg.norm(points - points[i], axis=1))[k]

    real_radii = [radius(real, i) for i in range(len(real))]
    generated_radii = [radius(generated, j) for j in range(len(generated))]
    gap = np.array([[np.linalg.norm(x - y) for y in generated] for x in real])
    pairs = [(i, j) for i in range(len(real)) for j in range(len(generated))]
    inside_real = {(i, j) for i, j in pairs if gap[i, j] <= real_radii[i]}
    inside_generated = {(i, j) for i, j in pairs if gap[i, j] <= generated_radii[j]}
    return {
        "precision": len({j for _, j in inside_real}) / len(generated),
        "recall": len({i for i, _ in inside_generated}) / len(real),
        "density": len(inside_real) / (k * len(generated)),
        "coverage": len({i for i, _ in inside_real}) / len(real),
    }


def test_against_the_definitions(rng, monkeypatch):
    # Far from 0, where |x|^2 - 2xy + |y|^2 loses digits.
    real, generated = rng.normal(size=(25, 3)) + 50, 0.7 * rng.normal(size=(31, 3)) + 51.5
    for k in (1, 3):
        wanted = {**brute(real, generated, k), "k": k, "n_real": 25, "n_generated": 31}
        assert prdc(real, generated, k) == pytest.approx(wanted)
        assert 0 < wanted["precision"] < 1 and 0 < wanted["recall"] < 1
    # Seven rows of distances at once.
    monkeypatch.setitem(prdc.__globals__, "MEMORY", 7 * 25 * 8 / 2**20)
    assert prdc(real, generated, 3) == pytest.approx(wanted)


def test_identical_sets(rng):
    x = rng.normal(size=(40, 5)).astype("float32")
    # Closed balls hold their k neighbors and their own center.
    wanted = {"precision": 1, "recall": 1, "coverage": 1, "density": 6 / 5}
    assert prdc(x, x[::-1]).items() >= wanted.items()
    # Also where radii are 0.
    assert prdc(np.repeat(x, 6, axis=0), x)["precision"] == 1


def test_one_mode_is_precise_and_recalls_nothing(rng):
    real = rng.normal(size=(200, 4))
    collapsed = real[:1] + 1e-3 * rng.normal(size=(200, 4))
    report = prdc(real, collapsed)
    assert report["precision"] == 1
    assert report["recall"] < 0.02 and report["coverage"] < 0.1


def test_swapping_the_sets_swaps_precision_and_recall(rng):
    real, wide = rng.normal(size=(150, 3)), 4 * rng.normal(size=(150, 3))
    report, swapped = prdc(real, wide), prdc(wide, real)
    assert report["precision"] < 0.5 < 0.9 < report["recall"]
    assert (report["precision"], report["recall"]) == (swapped["recall"], swapped["precision"])


def test_one_distribution_has_density_one_and_the_known_coverage(rng):
    reports = [prdc(rng.normal(size=(2, 300, 6))[0], rng.normal(size=(300, 6))) for _ in range(5)]
    assert np.mean([r["density"] for r in reports]) == pytest.approx(1, abs=0.1)
    # Naeem et al. (2020), for as many generated as real examples: about 1 - 2^-k.
    assert np.mean([r["coverage"] for r in reports]) == pytest.approx(1 - 2**-5, abs=0.015)


def test_an_outlier_raises_precision_and_not_density(rng):
    real, noise = rng.normal(size=(100, 2)), rng.uniform(-20, 20, size=(200, 2))
    far = np.concatenate([real, [[20.0, 20.0]]])
    before, after = prdc(real, noise), prdc(far, noise)
    assert after["precision"] > before["precision"] + 0.3
    assert after["density"] < before["density"] + 0.3 / 5 * 2


def test_disjoint_sets(rng):
    report = prdc(rng.normal(size=(50, 2)), rng.normal(size=(50, 2)) + 100)
    assert [report[n] for n in ("precision", "recall", "density", "coverage")] == [0, 0, 0, 0]


def test_clear_errors(rng):
    x = rng.normal(size=(6, 2))
    with pytest.raises(ValueError, match="n of at least 7"):
        prdc(x, x, k=6)
    with pytest.raises(ValueError, match="one extractor"):
        prdc(x, rng.normal(size=(6, 3)))
    with pytest.raises(ValueError, match="k=0"):
        prdc(x, x, k=0)
