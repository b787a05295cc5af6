"""Ladder VAE and BIVA against their factorizations, written out in numpy for linear networks."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_gen.losses import Normal
from keras_gen.metrics import importance_weighted_nll
from keras_gen.networks import biva_networks, conv_biva_networks, ladder_networks
from keras_gen.training import noise
from keras_gen.training.schedules import Linear
from keras_gen.vae import BIVA, VAE, LadderVAE
from keras_gen.vae.ladder_vae import precision_weighted

DATA, FEATURES, DIMS, SCALE = 3, 4, (2, 3, 2), 0.5
LADDER = dict(bottom_up=[[FEATURES, 2, 2], [FEATURES, 3, 3], [2, 2]], top_down=[[2, 2], [3, 3]])


def linear(inputs, outputs):
    """A network whose outputs are linear in all of its inputs."""
    inputs = [keras.Input((size,)) for size in inputs]
    x = keras.layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]

    def dense(size):
        kernel, bias = (keras.initializers.RandomNormal(stddev=s) for s in (0.15, 0.5))
        return keras.layers.Dense(size, kernel_initializer=kernel, bias_initializer=bias)

    return keras.Model(inputs, [dense(size)(x) for size in outputs])


def ladder(dims=DIMS, **options):
    """Every network of its own sizes; the last of an upward pass has no features."""
    last = len(dims) - 1
    bottom_up = [
        linear([FEATURES if i else DATA], [*([FEATURES] if i < last else []), d, d])
        for i, d in enumerate(dims)
    ]
    top_down = [linear([above], [d, d]) for d, above in itertools.pairwise(dims)]
    networks = dict(bottom_up=bottom_up, top_down=top_down, decoder=linear([dims[0]], [DATA]))
    return LadderVAE(**networks, likelihood=Normal(scale=SCALE), **options)


def biva(dims=DIMS, **options):
    last = len(dims) - 1
    bottom_up = [
        linear([FEATURES, dims[i - 1]] if i else [DATA], [*([FEATURES] if i < last else []), d, d])
        for i, d in enumerate(dims)
    ]
    from_above = [[dims[i]] if i == last else [FEATURES, dims[i], dims[i]] for i in range(last + 1)]
    lateral = [linear([FEATURES, FEATURES], [d, d]) for d in dims[:-1]]
    top_down = [linear(from_above[i + 1], [FEATURES, d, d, d, d]) for i, d in enumerate(dims[:-1])]
    networks = dict(bottom_up=bottom_up, lateral=lateral, top_down=top_down)
    decoder = linear(from_above[0], [DATA])
    return BIVA(**networks, decoder=decoder, likelihood=Normal(scale=SCALE), **options)


BUILDERS = {"ladder": ladder, "biva": biva}
both = pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)


@pytest.fixture
def x(rng):
    return rng.uniform(-1, 1, (5, DATA)).astype("float32")


def outputs(network, *inputs):
    """What a linear network returns, in float64."""
    joined = np.concatenate(inputs, axis=-1)
    weights = [w.astype("float64") for w in network.get_weights()]
    return [joined @ w + b for w, b in zip(weights[::2], weights[1::2], strict=True)]


def log_normal(values, mean, log_variance):
    return stats.norm(mean, np.exp(log_variance / 2)).logpdf(values).sum(axis=-1)


def ladder_factors(model, x, z):
    """log q and log p of each variable of known latents: Sønderby et al. (2016)."""
    z = {name: part.numpy().astype("float64") for name, part in model.split(z).items()}
    depth, features, estimates = model.depth, x, []
    for network in model.bottom_up:
        *above, mean, log_variance = outputs(network, features)
        estimates.append((mean, log_variance))
        features = above[0] if above else None
    log_q, log_p = {}, {}
    top = f"z{depth}"
    log_q[top], log_p[top] = log_normal(z[top], *estimates[-1]), log_normal(z[top], 0.0, 0.0)
    for i in range(depth - 1, 0, -1):
        (mean, log_variance), (mean_p, log_variance_p) = (
            estimates[i - 1],
            outputs(model.top_down[i - 1], z[f"z{i + 1}"]),
        )
        a, b = np.exp(-log_variance), np.exp(-log_variance_p)
        mean_q = (a * mean + b * mean_p) / (a + b)
        log_q[f"z{i}"] = log_normal(z[f"z{i}"], mean_q, -np.log(a + b))
        log_p[f"z{i}"] = log_normal(z[f"z{i}"], mean_p, log_variance_p)
    (mean,) = outputs(model.decoder, z["z1"])
    return log_q, log_p, log_normal(x, mean, 2 * np.log(SCALE))


def biva_factors(model, x, z):
    """The same of BIVA: each factor of q and p conditioned on all that the paper says."""
    z = {name: part.numpy().astype("float64") for name, part in model.split(z).items()}
    depth, log_q, log_p = model.depth, {}, {}
    top, inputs, upwards = f"z{depth}", [x], []
    for i, network in enumerate(model.bottom_up, 1):
        name = top if i == depth else f"z{i}_bu"
        *features, mean, log_variance = outputs(network, *inputs)
        log_q[name] = log_normal(z[name], mean, log_variance)
        upwards.append(features)
        inputs = [*features, z[name]]
    log_p[top] = log_normal(z[top], 0.0, 0.0)
    inputs = [z[top]]
    for i in range(depth - 1, 0, -1):
        features, *parameters = outputs(model.top_down[i - 1], *inputs)
        names = [f"z{i}_bu", f"z{i}_td"]
        for name, prior in zip(names, (parameters[:2], parameters[2:]), strict=True):
            log_p[name] = log_normal(z[name], *prior)
        lateral = outputs(model.lateral[i - 1], *upwards[i - 1], features)
        log_q[names[1]] = log_normal(z[names[1]], *lateral)
        inputs = [features, *(z[name] for name in names)]
    (mean,) = outputs(model.decoder, *inputs)
    return log_q, log_p, log_normal(x, mean, 2 * np.log(SCALE))


FACTORS = {ladder: ladder_factors, biva: biva_factors}


def inferred_factors(build, model, x, seed=0):
    """Latents of a draw, and their factors by the direct evaluation."""
    step_noise = tf.constant(np.random.default_rng(seed).normal(size=(len(x), model.size)))
    step_noise = tf.cast(step_noise, tf.float32)
    drawn, _ = model.descend(step_noise, model.posterior(tf.constant(x), step_noise, False))
    z = model.joined(drawn)
    return drawn, z, FACTORS[build](model, x, z)


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
        drawn, _ = model.descend(
            normal[:, draw], model.posterior(tf.constant(x), normal[:, draw], False)
        )
        log_q, log_p, log_x = FACTORS[build](model, x, model.joined(drawn))
        expected = log_x + sum(log_p.values()) - sum(log_q.values())
        np.testing.assert_allclose(found[draw], expected, rtol=1e-4, atol=1e-4)


@both
def test_the_loss_is_the_negative_elbo(build, x):
    """Means over many draws: of the terms, of the log weights, and of each layer's divergence."""
    model = build(beta=0.5)
    model.compile()
    copies = np.repeat(x[:1], 20000, axis=0)
    inferred = model.infer(tf.constant(copies), training=False)
    terms = model.loss_terms(tf.constant(copies), inferred, training=False)
    terms = {name: value.numpy().astype("float64") for name, value in terms.items()}
    parts = [name for name in terms if name.startswith("kl_")]
    np.testing.assert_allclose(sum(terms[name] for name in parts), terms["kl"], rtol=1e-4)
    log_q, log_p, log_x = FACTORS[build](model, copies, inferred.latents)
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


@both
def test_the_bound_tightens(build, x):
    model = build()
    model.compile()
    loose = importance_weighted_nll(model, x, samples=2000)
    assert (loose["nll"] < loose["elbo"] * -1).all()
    assert (np.abs(model.log_prob(np.repeat(x, 200, 0)).mean() - loose["elbo"].mean())) < 1.0


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


@both
@pytest.mark.parametrize("training", [False, True])
def test_one_layer_is_a_vae(build, training, x):
    model = build((2,), beta=0.5, seed=3)
    (encoder,) = model.bottom_up
    vae = VAE(encoder, model.decoder, likelihood=Normal(scale=SCALE), beta=0.5, seed=3)
    logs = []
    for each in (model, vae):
        each.compile(keras.optimizers.SGD(0.0))
        step = each.train_step if training else each.test_step
        logs.append({name: float(value) for name, value in step(tf.constant(x)).items()})
    part = logs[0].pop("kl_z1")
    assert logs[0] == pytest.approx(logs[1], rel=1e-5)
    assert part == pytest.approx(logs[0]["kl_loss"])
    np.testing.assert_allclose(model.log_prob(x), vae.log_prob(x), rtol=1e-4)
    np.testing.assert_allclose(model.encode(x), vae.encode(x)[0], rtol=1e-5)
    np.testing.assert_allclose(model.reconstruct(x), vae.reconstruct(x), rtol=1e-4, atol=1e-5)


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
    inferred = model.infer(tensor, training=True)
    terms = model.loss_terms(tensor, inferred, training=True)
    parts = {name: value.numpy() for name, value in terms.items() if name.startswith("kl_z")}
    means = [part.mean() for part in parts.values()]
    assert min(means) < 0.6 < max(means)
    floored = sum(np.maximum(mean, 0.6) for mean in means)
    assert terms["kl"].numpy().mean() == pytest.approx(floored, rel=1e-4)
    # Outside of training the bound is the bound.
    held_out = model.loss_terms(tensor, inferred, training=False)
    np.testing.assert_allclose(held_out["kl"], sum(parts.values()), rtol=1e-4)


@both
def test_what_has_its_free_bits_is_not_pressed(build, x):
    model = build(free_bits=1e6)
    tensor = tf.constant(x)
    with tf.GradientTape() as tape:
        inferred = model.infer(tensor, training=True)
        kl = model.loss_terms(tensor, inferred, training=True)["kl"]
    weights = [w.value for w in model.trainable_variables]
    slopes = tape.gradient(kl, weights, unconnected_gradients="zero")
    assert all(np.abs(slope).max() == 0 for slope in slopes)


# Use ---------------------------------------------------------------------------------------------


@both
def test_codes_are_means_and_decode(build, x):
    model = build()
    codes = model.encode(x)
    assert codes.shape == (5, model.size)
    drawn, parameters = model.descend(
        tf.zeros([5, model.size]), model.posterior(tf.constant(x), tf.zeros([5, model.size]), False)
    )
    for name, part in model.split(codes).items():
        np.testing.assert_allclose(part, drawn[name].posterior[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.reconstruct(x), parameters, rtol=1e-4, atol=1e-5)
    levels = np.clip(np.round((parameters.numpy() + 1) * 127.5), 0, 255)
    assert np.abs(model.decode(codes).astype("float64") - levels).max() <= 1


@both
def test_fixed_upper_latents_stay_and_lower_ones_follow_the_prior(build, x, rng):
    model = build()
    z = tf.constant(rng.normal(size=(5, model.size)), tf.float32)
    normal = tf.constant(rng.normal(size=(5, model.size)), tf.float32)
    kept = model.split(z)
    for layers in range(model.depth + 1):
        drawn, _ = model.descend(normal, model.above(tf.fill([5], layers), model.given(z)))
        for name, part in model.split(model.joined(drawn)).items():
            same = np.array_equal(part, kept[name])
            assert same == (int(name[1]) > layers), (name, layers)
        log_p = FACTORS[build](model, x, model.joined(drawn))[1]
        for name, variable in drawn.items():
            if int(name[1]) <= layers:
                epsilon = model.split(normal)[name].numpy()
                expected = log_normal(epsilon, 0.0, 0.0) - variable.prior[1].numpy().sum(-1) / 2
                np.testing.assert_allclose(log_p[name], expected, rtol=1e-3, atol=1e-4)
    codes = z.numpy()
    np.testing.assert_array_equal(model.redraw(codes, normal.numpy(), 0), model.decode(codes))
    # All layers anew are samples, whatever the latents were.
    all_new = [model.redraw(c, normal.numpy(), model.depth) for c in (codes, 0 * codes)]
    np.testing.assert_array_equal(*all_new)
    mean = model.from_noise(normal).numpy()
    assert np.abs(all_new[0] - np.clip(np.round((mean + 1) * 127.5), 0, 255)).max() <= 1
    # Each example may have its own number of layers.
    mixed = model.redraw(codes, normal.numpy(), np.array([0, 1, 2, 3, 0], "uint8"))
    for row, layers in enumerate([0, 1, 2, 3, 0]):
        np.testing.assert_array_equal(mixed[row], model.redraw(codes, normal.numpy(), layers)[row])


@both
def test_the_bound_above_a_layer(build, x):
    """Of lower layers drawn from the prior no factor counts, and the upper ones' q and p do."""
    model = build()
    np.testing.assert_allclose(model.log_prob_above(x, 0), model.log_prob(x), rtol=1e-5)
    copies = np.repeat(x[:1], 4000, axis=0)
    for layers in range(1, model.depth + 1):
        # Twice the randomness: what infers the upper layers, and what draws the lower ones.
        values = []
        for seed in range(2):
            first, second = np.random.default_rng(seed).normal(size=(2, len(copies), model.size))
            first, second = (tf.constant(v, tf.float32) for v in (first, second))
            upper, _ = model.descend(first, model.posterior(tf.constant(copies), first, False))
            log_q, log_p, _ = FACTORS[build](model, copies, model.joined(upper))
            known = model.given(model.joined(upper))
            layer = tf.fill([len(copies)], layers)
            _, mean = model.descend(second, model.above(layer, known))
            log_x = log_normal(copies, mean.numpy().astype("float64"), 2 * np.log(SCALE))
            ratios = [log_p[n] - log_q[n] for n in log_q if int(n[1]) > layers]
            values.append(log_x + sum(ratios))
        expected = np.concatenate(values)
        found = model.log_prob_above(copies[:1], layers)
        weights = model.log_weights(
            tf.constant(copies[:1]), 8000, noise.stateless_seed(0, 0, "t"), layers=[layers]
        ).numpy()
        error = 5 * (expected.std() + weights.std()) / np.sqrt(8000)
        assert weights.mean() == pytest.approx(expected.mean(), abs=error)
        assert np.isfinite(found).all()


def test_the_ladder_may_pass_features_down(x):
    """Then p(z_1 | z_2, z_3) skips a layer."""
    base = ladder()
    top_down = [linear([FEATURES, 3], [2, 2]), linear([2], [FEATURES, 3, 3])]
    model = LadderVAE(base.bottom_up, top_down, base.decoder, likelihood=Normal(scale=SCALE))
    model.compile()
    assert np.isfinite(float(model.train_step(tf.constant(x))["loss"]))


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        lambda: BIVA(**biva_networks((4, 4, 1), (3, 2, 2), units=6)),
        lambda: BIVA(**conv_biva_networks((4, 4, 1), (2, 1), filters=3)),
        lambda: LadderVAE(**ladder_networks((4, 4, 1), (3, 2), hidden=(6, 5))),
    ],
)
def test_built_networks_learn(model, rng):
    """One image of noise, which the model learns to draw."""
    model = model()
    image = rng.integers(0, 2, (1, 4, 4, 1)).astype("float32")
    model.compile(keras.optimizers.Adam(0.01))
    losses = model.fit(np.repeat(image, 32, 0), batch_size=8, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 2 < losses[0]
    np.testing.assert_allclose(model.sample(4, seed=0) / 255, np.repeat(image, 4, 0), atol=0.3)


# Bad input ---------------------------------------------------------------------------------------


def test_networks_that_do_not_fit_are_refused():
    parts = biva()
    lists = dict(bottom_up=parts.bottom_up, lateral=parts.lateral, top_down=parts.top_down)

    def refused(match, **changes):
        with pytest.raises(ValueError, match=match) as caught:
            BIVA(**lists | dict(decoder=parts.decoder, likelihood=Normal(scale=SCALE)) | changes)
        assert "\n" not in str(caught.value) and str(caught.value).endswith(".")

    refused("3 in bottom_up and 2 in lateral and 1 in top_down: ex", top_down=parts.top_down[:1])
    refused("0 in bottom_up and 2 in lateral", bottom_up=[])
    other = linear([FEATURES, 5], [FEATURES, 3, 3])
    bottom_up = [parts.bottom_up[0], other, parts.bottom_up[2]]
    refused(rf"'{other.name}' takes inputs of shapes \[\(4,\), \(5,\)\], but", bottom_up=bottom_up)
    small = linear([FEATURES, FEATURES], [5, 5])
    refused(r"z1_td is inferred with shape \(5,\) and ge", lateral=[small, parts.lateral[1]])
    few = linear([FEATURES, FEATURES], [2])
    refused("has 1 outputs: expected features", lateral=[few, parts.lateral[1]])
    top_down = [linear([FEATURES, 3, 3], [2, 2]), parts.top_down[1]]
    refused(r"has 2 outputs: .* of 2 variable\(s\)", top_down=top_down)
    refused("takes inputs of shapes", decoder=linear([7], [DATA]))
    refused("network outputs of shape", decoder=linear([FEATURES, 2, 2], [DATA + 1]))
    refused(r"free_bits is -1: it must not be negative\.", free_bits=-1)


@both
def test_bad_latents_and_layers_are_refused(build, x):
    model = build()
    codes = model.encode(x)
    with pytest.raises(
        ValueError, match=rf"Latents have shape .* expected \[batch, {model.size}\]"
    ):
        model.decode(codes[:, :-1])
    for layers in (4, -1):
        for use in (model.log_prob_above, lambda c, k: model.redraw(codes, codes, k)):
            with pytest.raises(ValueError, match=rf"Layers .* {layers}.*integers in \[0, 3\]"):
                use(x, layers)
    with pytest.raises(ValueError, match="5 images and 2 layers: expected"):
        model.log_prob_above(x, np.array([1, 1]))
