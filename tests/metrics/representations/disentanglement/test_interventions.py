import numpy as np
import pytest

from keras_gen.data import Factors, Shapes
from keras_gen.metrics import beta_vae_score, factor_vae_score

GRID = Factors({"a": 4, "b": 5, "c": 6})
FEW = {"train": 300, "test": 300}

HADAMARD = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])
SCORES = pytest.mark.parametrize("score", [beta_vae_score, factor_vae_score])


@pytest.mark.thorough
@SCORES
def test_one_code_a_factor_scores_one(score):
    def represent(values):
        return np.c_[values[:, ::-1] * [-1.0, 10.0, 0.3], np.ones(len(values))]

    assert score(GRID, represent, **FEW) == 1


@pytest.mark.thorough
@SCORES
def test_random_codes_have_no_score(score, rng):
    with pytest.raises(ValueError, match="No factor is predicted from the codes better than"):
        score(GRID, lambda values: rng.normal(size=[len(values), 5]), **FEW)


@pytest.mark.thorough
@SCORES
def test_one_factor_that_is_known_is_enough(score, rng):
    def represent(values):
        return np.c_[values[:, 1], rng.normal(size=[len(values), 3])]

    # The factor itself is told from the others, which are told apart by chance.
    assert score(GRID, represent, **FEW) == pytest.approx(1 / 3 + 2 / 3 / 2, abs=0.1)


@pytest.mark.thorough
@SCORES
def test_evenly_mixed_codes_score_by_chance(score):
    four = Factors(dict.fromkeys("abcd", 5))
    value = score(four, lambda values: values @ HADAMARD, **FEW)
    assert value == pytest.approx(1 / 4, abs=0.1)


@pytest.mark.thorough
def test_a_lost_factor_costs_its_fraction_in_one_score_and_nothing_in_the_other():
    def represent(values):
        return values[:, :2].astype(float)

    assert beta_vae_score(GRID, represent, **FEW) > 0.99
    assert factor_vae_score(GRID, represent, **FEW) == pytest.approx(2 / 3, abs=0.1)


def test_a_factor_on_two_codes_costs_nothing():
    assert factor_vae_score(GRID, lambda values: values[:, [0, 1, 2, 2]], **FEW) == 1


def test_two_factors_on_one_code_are_one_too_few():
    def represent(values):
        return np.stack([values[:, 0] + 4 * values[:, 1], values[:, 2]], axis=1)

    # The code gets the votes of both factors and can stand for one only.
    assert factor_vae_score(GRID, represent, **FEW) == pytest.approx(2 / 3, abs=0.1)


@pytest.mark.thorough
def test_the_scale_of_the_codes_does_not_matter(rng):
    mixing = rng.normal(size=[3, 3])
    first = beta_vae_score(GRID, lambda values: values @ mixing, pairs=4, **FEW)
    second = beta_vae_score(GRID, lambda values: values @ mixing * [1e-4, 1, 1e4], pairs=4, **FEW)
    assert first == pytest.approx(second, abs=0.01)
    assert first < 1
    first = factor_vae_score(GRID, lambda values: values @ mixing, samples=4, **FEW)
    second = factor_vae_score(
        GRID, lambda values: values @ mixing * [1e-4, 1, 1e4], samples=4, least_std=0, **FEW
    )
    assert first == second < 1


@pytest.mark.thorough
def test_collapsed_codes_have_no_vote(rng):
    def represent(values):
        codes = values + 0.3 * rng.normal(size=values.shape)
        return np.c_[codes, 0.01 * rng.normal(size=[len(values), 200])]

    # Among two hundred codes of noise, one often varies less by chance than the one held fixed.
    pruned = factor_vae_score(GRID, represent, samples=5, **FEW)
    kept = factor_vae_score(GRID, represent, samples=5, least_std=0, **FEW)
    assert kept + 0.1 < pruned > 0.9
    assert factor_vae_score(GRID, lambda values: np.ones([len(values), 2]), **FEW) == 0
    # What codes without a vote know does not count.
    with pytest.raises(ValueError, match="No factor is predicted from the codes better than"):
        factor_vae_score(
            GRID, lambda values: np.c_[1e-3 * values, rng.normal(size=[len(values), 1])], **FEW
        )


@pytest.mark.thorough
@SCORES
def test_codes_are_asked_for_in_parts_and_on_the_grid(score):
    sizes = []

    def represent(values):
        sizes.append(len(GRID.check(values)))
        return values

    first = score(GRID, represent, seed=1, **FEW)
    assert max(sizes) == 4096 and len(sizes) > 2
    assert score(GRID, represent, seed=1, **FEW) == first


@pytest.mark.thorough
@SCORES
def test_the_seed_decides(score, rng):
    mixing = rng.normal(size=[3, 3])
    few = {"train": 60, "test": 60, "pairs" if score is beta_vae_score else "samples": 3}
    first, again, other = (
        score(GRID, lambda values: values @ mixing, seed=seed, **few) for seed in (1, 1, 2)
    )
    assert first == again != other


@pytest.mark.thorough
@SCORES
def test_codes_measured_in_drawn_shapes(score):
    """Squares and ellipses measured by eye: their place and area, and how far they are round."""
    shapes = Shapes(size=16, scales=3, orientations=2, positions=4, turn=0.25)
    factors = shapes.factors
    index = np.arange(len(factors))
    images = shapes.render(factors.values(index))[..., 0] / 255.0
    ticks = np.arange(16)
    area = images.sum(axis=(1, 2))
    x = np.einsum("nij,j->n", images, ticks) / area
    y = np.einsum("nij,i->n", images, ticks) / area
    measured = np.stack([x, y, area / 10], axis=1)

    place_and_scale = Factors({"scale": 3, "x": 4, "y": 4})

    def represent(values):
        scale, x, y = values.T
        fixed = np.zeros_like(scale)
        return measured[np.ravel_multi_index([fixed, scale, fixed, x, y], factors.sizes)]

    assert score(place_and_scale, represent, train=100, test=100) == 1


def test_clear_errors():
    with pytest.raises(ValueError, match=r"finite codes \[4096, d\].*found shape \[4096\]"):
        beta_vae_score(GRID, lambda values: values[:, 0])
    with pytest.raises(ValueError, match="not finite"):
        factor_vae_score(GRID, lambda values: values * np.nan)
