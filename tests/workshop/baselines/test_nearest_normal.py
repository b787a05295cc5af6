"""Divergences on the line, and the normal distribution of the least one."""

import numpy as np
import pytest
from scipy.stats import norm

from keras_gen.workshop.baselines import divergence, nearest_normal

GRID = np.linspace(-12.0, 12.0, 2401)
STEP = GRID[1] - GRID[0]
MIXTURE = (2 * norm.pdf(GRID, -1.0, 0.5) + norm.pdf(GRID, 2.0, 0.5)) / 3


def test_divergences_of_two_normals_are_those_of_the_formula():
    p, q = norm.pdf(GRID), norm.pdf(GRID, 1.0, 2.0)
    assert divergence("kl", p, q, STEP) == pytest.approx(np.log(2) + 2 / 8 - 0.5, abs=1e-6)
    assert divergence("reverse_kl", p, q, STEP) == pytest.approx(5 / 2 - np.log(2) - 0.5, abs=1e-4)
    assert divergence("jensen_shannon", p, p, STEP) == 0.0
    apart = divergence("jensen_shannon", norm.pdf(GRID, -5, 0.1), norm.pdf(GRID, 5, 0.1), STEP)
    assert apart == pytest.approx(2 * np.log(2), abs=1e-6)


def test_a_normal_distribution_is_found_again_by_each():
    for name in ("kl", "reverse_kl", "jensen_shannon", "pearson"):
        found = nearest_normal(name, GRID, norm.pdf(GRID, 0.7, 0.8))
        assert found == pytest.approx((0.7, 0.8, 0.0), abs=1e-3), name


def test_kl_keeps_the_moments_and_its_reverse_chooses_the_higher_hill():
    assert nearest_normal("kl", GRID, MIXTURE)[:2] == pytest.approx((0.0, 1.5), abs=1e-3)
    mean, deviation, least = nearest_normal("reverse_kl", GRID, MIXTURE)
    assert (mean, deviation) == pytest.approx((-1.0, 0.5), abs=0.01)
    # What the chosen hill, with two thirds of the data, costs.
    assert least == pytest.approx(np.log(3 / 2), abs=0.01)
