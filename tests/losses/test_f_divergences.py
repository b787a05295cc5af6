"""f-GAN's bounds at the best discriminator of two Gaussians are their divergences."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.losses import JensenShannon, KullbackLeibler, Minimax, NonSaturating, adversarial

# P and Q on a grid: sums times STEP are integrals.
MEANS, STDS = (-0.5, 0.3), (0.8, 1.0)
GRID = np.linspace(-12.0, 12.0, 4001)
STEP = GRID[1] - GRID[0]
P, Q = (
    np.exp(-0.5 * ((GRID - m) / s) ** 2) / (s * np.sqrt(2 * np.pi))
    for m, s in zip(MEANS, STDS, strict=True)
)
LOG_RATIO = -0.5 * ((GRID + 0.5) / 0.8) ** 2 + 0.5 * (GRID - 0.3) ** 2 - np.log(0.8)


def kl(m, s, n, t):
    """KL(N(m, s^2) || N(n, t^2)) in closed form."""
    return np.log(t / s) + (s**2 + (m - n) ** 2) / (2 * t**2) - 0.5


(M, N), (S, T) = MEANS, STDS
# The integral of p^2 / q is that of a Gaussian of variance 1 / (2 / S^2 - 1 / T^2).
SPREAD = 2 * T**2 - S**2
CHI_SQUARE = T**2 / (S * np.sqrt(SPREAD)) * np.exp((M - N) ** 2 / SPREAD) - 1
MIDDLE = (P + Q) / 2
JS = 0.5 * STEP * np.sum(P * np.log(P / MIDDLE) + Q * np.log(Q / MIDDLE))
DIVERGENCES = {
    "kl": kl(M, S, N, T),
    "reverse_kl": kl(N, T, M, S),
    "pearson": CHI_SQUARE,
    "jensen_shannon": 2 * JS,
}
BEST = {
    "kl": 1 + LOG_RATIO,
    "reverse_kl": LOG_RATIO,
    "pearson": 2 * np.expm1(LOG_RATIO),
    "jensen_shannon": LOG_RATIO,
}
NAMES = sorted(DIVERGENCES)


def value(objective, logits):
    """F = E_P[g(V)] - E_Q[f*(g(V))], from calls that hold the logits of one kind at 0."""
    logits = tf.cast(logits, tf.float32)
    zeros = tf.zeros_like(logits)
    at_zero = objective.estimate(zeros[:1], zeros[:1])
    real = objective.estimate(logits, zeros) - at_zero
    fake = objective.estimate(zeros, logits)
    return tf.reduce_sum((P * real + Q * fake) * STEP)


@pytest.mark.parametrize("name", NAMES)
def test_the_bound_is_the_divergence_at_the_best_logits_and_below_it_elsewhere(name):
    objective = adversarial.get(name)
    np.testing.assert_allclose(value(objective, BEST[name]), DIVERGENCES[name], rtol=1e-4)
    for other in (BEST[name] + 0.2, 0.8 * BEST[name], np.sin(GRID)):
        assert value(objective, other) < DIVERGENCES[name] - 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_the_divergence_is_the_integral_of_f(name):
    objective = adversarial.get(name)
    assert STEP * np.sum(Q * objective.f(P / Q)) == pytest.approx(DIVERGENCES[name], rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_conjugates_are_those_of_f(name):
    """f*(t) = sup over u of u t - f(u), at the t that the output activation gives."""
    objective, u = adversarial.get(name), np.geomspace(1e-3, 50, 200_001)
    for logit in (-1.0, -0.3, 0.4, 1.2):
        t = float(objective._activation(tf.constant(logit)))
        conjugate = float(objective._conjugate(tf.constant(logit)))
        assert conjugate == pytest.approx(np.max(u * t - objective.f(u)), abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_the_generator_minimizes_the_bound_or_directly_its_other_half(name):
    logits = tf.constant([[-0.5], [0.7]])
    objective, direct = adversarial.get(name), type(adversarial.get(name))(direct=True)
    zeros = tf.zeros_like(logits)
    bound = objective.estimate(zeros, logits) - objective.estimate(zeros, zeros)
    loss = objective.generator(logits) - objective.generator(zeros)
    np.testing.assert_allclose(loss, bound, rtol=1e-6)
    # What raises the logits of fakes lowers both losses.
    for each in (objective, direct):
        assert each.generator(logits)[1] < each.generator(logits)[0]
    real = direct.discriminator(logits, zeros) - direct.discriminator(zeros, zeros)
    made = direct.generator(logits) - direct.generator(zeros)
    np.testing.assert_allclose(made, real, rtol=1e-6)


def test_jensen_shannon_is_the_first_gan_but_for_constants():
    rng = np.random.default_rng(0)
    real, fake = (tf.constant(rng.normal(size=(5, 1)), tf.float32) for _ in range(2))
    ours = JensenShannon().discriminator(real, fake)
    np.testing.assert_allclose(
        ours, Minimax().discriminator(real, fake) - 2 * np.log(2), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        JensenShannon().generator(fake), Minimax().generator(fake) + np.log(2), rtol=1e-5
    )
    np.testing.assert_allclose(
        JensenShannon(direct=True).generator(fake),
        NonSaturating().generator(fake) - np.log(2),
        rtol=1e-5, atol=1e-6,
    )  # fmt: skip


def test_thresholds_are_the_best_logits_of_equal_densities():
    found = {name: adversarial.get(name).threshold for name in adversarial.OBJECTIVES}
    others = {"kl": 1.0, "least_squares": 0.5, "wasserstein": None, "relativistic": None}
    assert found == dict.fromkeys(found, 0.0) | others
    assert adversarial.LeastSquares(a=-1.0, b=1.0, c=0.0).threshold == 0.0
    objective = KullbackLeibler(direct=True)
    config = keras.saving.serialize_keras_object(objective)
    assert adversarial.get(config) == objective != KullbackLeibler()
