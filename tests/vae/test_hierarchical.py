"""The bounds of ladder VAE and BIVA against their factorizations, for linear networks."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from hierarchies import DATA, FACTORS, both, inferred_factors, log_normal
from keras_gen.core import SCORE_SAMPLES, noise, training_step
from keras_gen.core.schedules import Linear
from keras_gen.vae.hierarchies.ladder_vae import precision_weighted


@pytest.fixture
def x(rng):
    return rng.uniform(-1, 1, (5, DATA)).astype("float32")


# The factorizations ------------------------------------------------------------------------------


@both
def test_log_q_and_log_p_of_every_factor(build, x):
    model = build()
    drawn, _, (log_q, log_p, _) = inferred_factors(build, model, x)
    assert set(drawn) == set(log_q) == set(log_p)
    for name, variable in drawn.items():
        found = [log_normal(*map(np.float64, (variable.latents, *d))) for d in variable[1:]]
        np.testing.assert_allclose(found, [log_q[name], log_p[name]], rtol=1e-4, atol=1e-4)


@both
def test_log_weights_are_the_joint_less_log_q(build, x):
    model = build()
    key = noise.stateless_seed(0, 0, "test")
    found = model.log_weights(tf.constant(x), 3, key)
    assert found.shape == (3, 5)
    # The noise of the draws, with which the latents are inferred anew one draw at a time.
    normal = noise.normal([5, 3, model.size], key)
    for draw in range(3):
        drawn, _ = model.descend(normal[:, draw], model.posterior(tf.constant(x), normal[:, draw]))
        log_q, log_p, log_x = FACTORS[build](model, x, model.as_vector(drawn))
        expected = log_x + sum(log_p.values()) - sum(log_q.values())
        np.testing.assert_allclose(found[draw], expected, rtol=1e-4, atol=1e-4)
    nats = -np.mean(model.log_weights(tf.constant(x), SCORE_SAMPLES, model.score_seeds(x)), axis=0)
    np.testing.assert_allclose(model.nats(tf.constant(x)), nats, rtol=1e-5)
    above = model.log_weights(tf.constant(x), 3, key, layers=tf.zeros([5], tf.int32))
    np.testing.assert_allclose(above, found, rtol=1e-5)


@both
def test_the_loss_is_the_negative_elbo(build, x):
    """Means over many draws: of the terms, of the log weights, and of each layer's divergence."""
    model = build(beta=0.5)
    model.compile()
    copies = np.repeat(x[:1], 20000, axis=0)
    normal = noise.normal([len(copies), model.size], model.stateless_seed("latents"))
    terms = model.terms({"x": tf.constant(copies)})
    drawn, _ = model.descend(normal, model.posterior(tf.constant(copies), normal))
    terms = {name: value.numpy().astype("float64") for name, value in terms.items()}
    parts = [name for name in terms if name.startswith("kl_")]
    np.testing.assert_allclose(sum(terms[name] for name in parts), terms["kl"], rtol=1e-4)
    log_q, log_p, log_x = FACTORS[build](model, copies, model.as_vector(drawn))
    error = 5 / np.sqrt(len(copies))
    for name in parts:
        difference = log_q[name[3:]] - log_p[name[3:]]
        spread = difference.std() + terms[name].std()
        assert terms[name].mean() == pytest.approx(difference.mean(), abs=error * spread), name
    elbo = log_x + sum(log_p.values()) - sum(log_q.values())
    loss = terms["reconstruction"] + terms["kl"]
    assert loss.mean() == pytest.approx(-elbo.mean(), abs=error * (loss.std() + elbo.std()))
    # The closed forms are the draws' mean and not the draws.
    sampled = [name for name in parts if name.endswith("_bu")]
    for name in parts:
        difference = log_q[name[3:]] - log_p[name[3:]]
        assert np.allclose(terms[name], difference, atol=1e-2) == (name in sampled), name


def test_the_ladder_combines_as_a_product_of_normals(rng):
    """The log of the product of two densities is the combined one's, up to a constant."""
    (m1, m2), (v1, v2) = rng.normal(size=(2, 4)), 3 * rng.normal(size=(2, 4))
    mean, log_variance = precision_weighted(
        *[tuple(map(tf.constant, p)) for p in ((m1, v1), (m2, v2))]
    )
    points = np.linspace(-2, 2, 7)[:, None]
    product = sum(stats.norm(m, np.exp(v / 2)).logpdf(points) for m, v in ((m1, v1), (m2, v2)))
    offset = product - stats.norm(mean, np.exp(log_variance / 2)).logpdf(points)
    np.testing.assert_allclose(offset, np.broadcast_to(offset[:1], offset.shape), rtol=1e-6)
    # A certain one decides, and nothing overflows.
    certain = precision_weighted((tf.constant(1.0), tf.constant(-200.0)), (tf.constant(0.0), 200.0))
    np.testing.assert_allclose(certain, (1.0, -200.0))


# Training ----------------------------------------------------------------------------------------


@both
def test_a_step_moves_every_network_and_beta_weights_the_divergence(build, x):
    model = build(beta=Linear(0.25, 1.0, steps=3))
    model.compile(keras.optimizers.SGD(1e-2))
    before = [w.numpy() for w in model.trainable_variables]
    for beta in (0.25, 0.5):
        model.reset_metrics()
        logs = {name: float(value) for name, value in model.train_step(tf.constant(x)).items()}
        assert np.isfinite(list(logs.values())).all()
        total = logs["reconstruction_loss"] + beta * logs["kl_loss"]
        assert logs["loss"] == pytest.approx(total, rel=1e-5)
        parts = sum(value for name, value in logs.items() if name.startswith("kl_z"))
        assert logs["kl_loss"] == pytest.approx(parts, rel=1e-4)
    moved = [
        np.abs(w.numpy() - b).max() for w, b in zip(model.trainable_variables, before, strict=True)
    ]
    assert min(moved) > 1e-6 and np.isfinite(moved).all()


@both
def test_free_bits_floor_the_mean_of_each_variable(build, x):
    model = build(free_bits=Linear(0.6, 0.0, steps=10))
    tensor = tf.constant(x)
    with training_step(model):
        terms = model.terms({"x": tensor})
    parts = {name: value.numpy() for name, value in terms.items() if name.startswith("kl_z")}
    means = [part.mean() for part in parts.values()]
    assert min(means) < 0.6 < max(means)
    floored = sum(np.maximum(mean, 0.6) for mean in means)
    assert terms["kl"].numpy().mean() == pytest.approx(floored, rel=1e-4)
    # Outside of training the bound is the bound.
    held_out = model.terms({"x": tensor})
    parts = [value for name, value in held_out.items() if name.startswith("kl_z")]
    np.testing.assert_allclose(held_out["kl"], sum(parts), rtol=1e-4)


@both
def test_what_has_its_free_bits_is_not_pressed(build, x):
    model = build(free_bits=1e6)
    tensor = tf.constant(x)
    with training_step(model), tf.GradientTape() as tape:
        kl = model.terms({"x": tensor})["kl"]
    weights = [w.value for w in model.trainable_variables]
    slopes = tape.gradient(kl, weights, unconnected_gradients="zero")
    assert all(np.abs(slope).max() == 0 for slope in slopes)


# Use ---------------------------------------------------------------------------------------------
