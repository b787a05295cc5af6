"""Fields of updates of a model whose step is known, which is left as it was."""

import keras
import numpy as np
import pytest

from keras_gen.gan import GAN
from keras_gen.losses import R1, R2, JensenShannonRegularizer
from keras_gen.metrics import trajectory, update_field, update_jacobian
from keras_gen.networks import dirac_networks
from tiny import state

RATE, ZEROS = 0.05, np.zeros((2, 1), "float32")
ORIGIN = np.zeros(2)


def dirac(optimizer=keras.optimizers.SGD, **options):
    model = GAN(*dirac_networks(0.5, -0.5), data="vectors", **options)
    model.compile(d_optimizer=optimizer(RATE), g_optimizer=optimizer(RATE))
    return model


@pytest.mark.thorough
def test_steps_are_those_of_the_model(rng):
    """In turns: psi' = psi - h theta and theta' = theta + h psi', of the bilinear game."""
    model, points = dirac(objective="wasserstein"), rng.normal(size=(5, 2))
    theta, psi = points.T
    expected = np.stack([RATE * (psi - RATE * theta), -RATE * theta], axis=1)
    np.testing.assert_allclose(update_field(model, ZEROS, points), expected, atol=1e-6)
    jacobian = [[1 - RATE**2, RATE], [-RATE, 1]]
    found = update_jacobian(model, (ZEROS,), points[0])
    np.testing.assert_allclose(found, jacobian, atol=1e-5)
    path = trajectory(model, ZEROS, points[0], steps=3)
    expected = [np.linalg.matrix_power(jacobian, n) @ points[0] for n in range(4)]
    np.testing.assert_allclose(path, expected, atol=1e-5)


def test_alternating_descent_of_the_dirac_gan_lies_on_the_unit_circle():
    """Mescheder et al. (2018), lemma 2.4: of f'(0) = 1/2, for rates below 4."""
    found = np.linalg.eigvals(update_jacobian(dirac(objective="minimax"), ZEROS, ORIGIN))
    np.testing.assert_allclose(np.abs(found), 1.0, atol=1e-5)
    a = (0.5 * RATE) ** 2
    cosine = 1 - a / 2
    np.testing.assert_allclose(np.sort(found.real), [cosine, cosine], atol=1e-5)
    sine = np.sqrt(1 - cosine**2)
    np.testing.assert_allclose(np.sort(found.imag), [-sine, sine], atol=1e-4)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "penalty", [R1(0.5), R1(3.0), R2(3.0), JensenShannonRegularizer(6.0)], ids=str
)
def test_penalties_draw_the_dirac_gan_in(penalty):
    """Lemma 3.3 there: -gamma / 2 +- sqrt(gamma^2 / 4 - f'(0)^2), small rates, both penalties.

    psi' = (1 - h gamma) psi - h theta / 2, and theta' = theta + h psi' / 2. The regularizer weighs
    both kinds by 1/4 where D says 1/2, so that it counts half.
    """
    weight = penalty.weight / (2 if isinstance(penalty, JensenShannonRegularizer) else 1)
    model = dirac(objective="minimax", penalty=penalty)
    found = np.sort_complex(np.linalg.eigvals(update_jacobian(model, ZEROS, ORIGIN)))
    down, turn = 1 - RATE * weight, RATE / 2
    exact = np.array([[1 - turn**2, turn * down], [-turn, down]])
    np.testing.assert_allclose(found, np.sort_complex(np.linalg.eigvals(exact)), atol=2e-4)
    theory = -weight / 2 + np.sqrt(weight**2 / 4 - 0.25 + 0j) * np.array([-1, 1])
    np.testing.assert_allclose(
        (found - 1) / RATE, np.sort_complex(theory), atol=0.03 * weight + 0.01
    )
    assert np.abs(found).max() < 1


@pytest.mark.thorough
def test_the_model_is_left_as_it_was():
    model = dirac(keras.optimizers.Adam)
    model.fit(ZEROS, verbose=0)
    before = state(model)
    update_field(model, ZEROS, np.ones((3, 2)))
    path = trajectory(model, ZEROS, np.ones(2), steps=2)
    for old, new in zip(before, state(model), strict=True):
        np.testing.assert_array_equal(old, new)
    # Adam's moments move along a path, so that its second step differs from the first.
    assert not np.allclose(path[2] - path[1], path[1] - path[0], rtol=1e-3)
    again = trajectory(model, ZEROS, np.ones(2), steps=2)
    np.testing.assert_array_equal(path, again)


def test_points_of_another_size_are_refused():
    model = dirac()
    with pytest.raises(ValueError, match=r"shape \(3,\): expected \(2,\), for the trainable"):
        update_field(model, ZEROS, np.ones((1, 3)))
