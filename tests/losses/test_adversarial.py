import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import global_mean, make_strategy
from keras_gen.losses import adversarial
from keras_gen.losses.adversarial import discrimination

NAMES = sorted(adversarial.OBJECTIVES)

# Two Gaussians on a grid: sums times STEP are integrals.
GRID = np.linspace(-12.0, 12.0, 4001)
STEP = GRID[1] - GRID[0]
P = np.exp(-0.5 * (GRID + 1.0) ** 2) / np.sqrt(2 * np.pi)
Q = np.exp(-0.5 * ((GRID - 1.0) / 1.5) ** 2) / (1.5 * np.sqrt(2 * np.pi))


def expected_discriminator_loss(objective, logits):
    """E over real ~ P and fake ~ Q; the losses are separated by holding the other logit at 0."""
    logits = tf.convert_to_tensor(logits, tf.float32)
    zeros = tf.zeros_like(logits)
    at_zero = objective.discriminator(zeros[:1], zeros[:1])
    real = objective.discriminator(logits, zeros) - at_zero
    fake = objective.discriminator(zeros, logits)
    return tf.reduce_sum((P * real + Q * fake) * STEP)


def jensen_shannon():
    middle = (P + Q) / 2
    return 0.5 * np.sum((P * np.log(P / middle) + Q * np.log(Q / middle)) * STEP)


def test_minimax_value_of_the_optimal_discriminator_is_the_jensen_shannon_divergence():
    loss = expected_discriminator_loss(adversarial.Minimax(), np.log(P / Q))
    np.testing.assert_allclose(-loss, 2 * jensen_shannon() - np.log(4.0), rtol=1e-5)


@pytest.mark.parametrize("cls", [adversarial.Minimax, adversarial.NonSaturating])
def test_one_sided_smoothing_scales_the_optimal_discriminator(cls):
    # Salimans et al. (2016), section 3.4: D = 0.9 p / (p + q), not 0.9 p / (p + q) + 0.1.
    objective, smoothed = cls(real_target=0.9), 0.9 * P / (P + Q)

    def gradient(probability):
        logits = tf.constant(np.log(probability / (1 - probability)), tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = expected_discriminator_loss(objective, logits)
        return np.abs(tape.gradient(loss, logits)).sum()

    assert gradient(smoothed) < 1e-5
    assert gradient(P / (P + Q)) > 1e-2
    # Real logits cost their cross entropy with the target; fakes and the generator cost the same.
    real, fake = tf.constant([[0.7], [-1.2]]), tf.constant([[0.3], [2.0]])
    d = 1 / (1 + np.exp(-real.numpy()[:, 0]))
    more = objective.discriminator(real, fake) - cls().discriminator(0 * real, fake)
    cross_entropy = -0.9 * np.log(d) - 0.1 * np.log(1 - d)
    np.testing.assert_allclose(more, cross_entropy - np.log(2), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(objective.generator(fake), cls().generator(fake))


def test_least_squares_minimizes_the_pearson_divergence():
    # Mao et al. (2017), theorem 1: with b - c = 1 and b - a = 2 the generator's loss plus
    # E_p (D - c)^2 is the Pearson chi-square of p + q and 2q.
    objective = adversarial.LeastSquares(a=-1.0, b=1.0, c=0.0)
    optimum = tf.constant((P - Q) / (P + Q), tf.float32)
    value = np.sum((P + Q) * objective.generator(optimum).numpy() * STEP)
    pearson = np.sum((2 * Q - (P + Q)) ** 2 / (P + Q) * STEP)
    np.testing.assert_allclose(value, pearson, rtol=1e-5)


def test_wasserstein_is_antisymmetric_and_ignores_a_constant():
    objective = adversarial.Wasserstein()
    real, fake = tf.constant([[3.0], [1.0]]), tf.constant([[2.0], [5.0]])
    loss = objective.discriminator(real, fake)
    np.testing.assert_allclose(loss, [-1.0, 4.0])
    np.testing.assert_allclose(loss, -objective.discriminator(fake, real))
    np.testing.assert_allclose(loss, objective.discriminator(real + 7.0, fake + 7.0))
    np.testing.assert_allclose(objective.generator(fake), [-2.0, -5.0])


def test_hinge_against_numpy():
    rng = np.random.default_rng(0)
    real, fake = 2 * rng.normal(size=(2, 5, 3, 3, 1)).astype("float32")
    wanted = np.maximum(0, 1 - real) + np.maximum(0, 1 + fake)
    loss = adversarial.Hinge().discriminator(real, fake)
    np.testing.assert_allclose(loss, wanted.mean(axis=(1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(
        adversarial.Hinge().generator(fake), -fake.mean(axis=(1, 2, 3)), rtol=1e-5
    )


def softplus(x):
    return np.logaddexp(0.0, x)


REAL, FAKE = np.random.default_rng(2).normal(size=(2, 4, 3, 3, 1)).astype("float32") * 2


def test_relativistic_compares_pairs():
    objective = adversarial.Relativistic()
    np.testing.assert_allclose(
        objective.discriminator(REAL, FAKE), softplus(FAKE - REAL).mean(axis=(1, 2, 3)), rtol=1e-5
    )
    np.testing.assert_allclose(
        objective.generator(FAKE, REAL), softplus(REAL - FAKE).mean(axis=(1, 2, 3)), rtol=1e-5
    )


def test_average_relativistic_compares_with_the_average_of_the_other_kind():
    objective = adversarial.Relativistic(average=True)
    real_mean, fake_mean = REAL.mean(), FAKE.mean()
    d_loss = softplus(fake_mean - REAL) + softplus(FAKE - real_mean)
    g_loss = softplus(real_mean - FAKE) + softplus(REAL - fake_mean)
    for loss, wanted in [
        (objective.discriminator(REAL, FAKE), d_loss),
        (objective.generator(FAKE, REAL), g_loss),
    ]:
        np.testing.assert_allclose(loss, wanted.mean(axis=(1, 2, 3)), rtol=1e-5)
    # Of one pair, the averages are the pair.
    np.testing.assert_allclose(
        objective.generator(FAKE[:1, 0, 0], REAL[:1, 0, 0]),
        2 * adversarial.Relativistic().generator(FAKE[:1, 0, 0], REAL[:1, 0, 0]),
        rtol=1e-6,
    )


@pytest.mark.thorough
@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_two_replicas_compare_as_one(player, average):
    loss_of = getattr(adversarial.Relativistic(average), player)

    def loss_and_gradient(first, second):
        with tf.GradientTape() as tape:
            tape.watch([first, second])
            loss = loss_of(first, second)
            total = global_mean(loss)
        return loss, *tape.gradient(total, [first, second])

    whole = loss_and_gradient(tf.constant(REAL), tf.constant(FAKE))
    strategy = make_strategy("mirrored")
    parts = [
        strategy.experimental_distribute_values_from_function(
            lambda context, x=x: tf.constant(np.split(x, 2)[context.replica_id_in_sync_group])
        )
        for x in (REAL, FAKE)
    ]
    results = strategy.run(tf.function(loss_and_gradient), parts)
    for result, wanted in zip(results, whole, strict=True):
        joined = np.concatenate(strategy.experimental_local_results(result))
        np.testing.assert_allclose(joined, wanted, rtol=1e-5, atol=1e-7)


def test_only_relativistic_needs_the_real_logits():
    for name in NAMES:
        objective = adversarial.get(name)
        assert objective.compares == (name == "relativistic")
        assert "compares" not in objective.get_config()
        if not objective.compares:
            np.testing.assert_array_equal(
                objective.generator(FAKE), objective.generator(FAKE, REAL)
            )


@pytest.mark.parametrize("name", NAMES)
def test_a_map_of_logits_is_averaged_after_the_loss(name):
    objective = adversarial.get(name)
    real, fake = np.random.default_rng(1).normal(size=(2, 3, 4, 2)).astype("float32") * 2
    flat = objective.discriminator(real.reshape(-1), fake.reshape(-1)).numpy().reshape(3, 4, 2)
    loss = objective.discriminator(real, fake)
    assert loss.shape == (3,) and loss.dtype == tf.float32
    np.testing.assert_allclose(loss, flat.mean(axis=(1, 2)), rtol=1e-5)
    assert objective.generator(fake, real).shape == (3,)


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
@pytest.mark.parametrize("name", NAMES)
def test_low_precision_logits_are_cast_before_the_loss(name, dtype):
    objective = adversarial.get(name)
    # At 300 a square exceeds float16, and the mean of 300 and 301 is not a bfloat16. At 30 an
    # exponential exceeds float16, and at 300 float32 too.
    scale = 0.1 if name in ("kl", "reverse_kl") else 1.0
    logits = tf.cast(scale * tf.constant([[300.0, 301.0], [-300.0, 0.25]]), dtype)
    exact = tf.cast(logits, tf.float32)
    for loss, wanted in [
        (objective.discriminator(logits, -logits), objective.discriminator(exact, -exact)),
        (objective.generator(logits, -logits), objective.generator(exact, -exact)),
    ]:
        assert loss.dtype == tf.float32
        assert np.isfinite(loss).all()
        np.testing.assert_array_equal(loss, wanted)


@pytest.mark.parametrize(
    "objective",
    [cls() for cls in adversarial.OBJECTIVES.values()]
    + [adversarial.LeastSquares(a=-1.0, b=1.0, c=0.5), adversarial.Relativistic(average=True)]
    + [adversarial.Minimax(real_target=0.9), adversarial.NonSaturating(real_target=0.8)],
)
def test_config_round_trip(objective):
    config = keras.saving.serialize_keras_object(objective)
    assert adversarial.get(config) == objective
    assert type(objective).from_config(objective.get_config()) == objective


@pytest.mark.thorough
@pytest.mark.parametrize("name", adversarial.OBJECTIVES)
@pytest.mark.parametrize("target", [0.6, 1.0])
def test_the_threshold_is_the_best_logit_where_real_and_fake_are_as_likely(name, target):
    cls = adversarial.OBJECTIVES[name]
    objective = cls(real_target=target) if issubclass(cls, adversarial.Minimax) else cls()
    if objective.threshold is None:
        return
    logits = objective.threshold + np.linspace(-0.5, 0.5, 101, dtype="float32")[:, None]
    losses = objective.discriminator(logits, logits).numpy()
    assert losses[50] == pytest.approx(losses.min(), abs=1e-6)


def test_a_guess_between_the_targets_of_least_squares_divides_right_from_wrong():
    real, fake = np.float32([[0.6], [0.4]]), np.float32([[0.45], [0.55]])
    _, accuracy = discrimination(adversarial.LeastSquares(), real, fake)
    np.testing.assert_allclose(accuracy, [1.0, 0.0])


def test_logits_that_only_compare_have_no_threshold():
    assert adversarial.Wasserstein().threshold is adversarial.Relativistic().threshold is None
    assert adversarial.get_of_fakes("hinge") == adversarial.Hinge()
