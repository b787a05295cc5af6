"""What trained hierarchies give: codes, what is drawn above a layer, and what they refuse."""

import numpy as np
import pytest
import tensorflow as tf

from hierarchies import DATA, FACTORS, FEATURES, SCALE, biva, both, linear, log_normal
from keras_gen.core import noise
from keras_gen.losses import Normal
from keras_gen.vae import BIVA


@pytest.fixture
def x(rng):
    return rng.uniform(-1, 1, (5, DATA)).astype("float32")


@pytest.mark.thorough
@both
def test_codes_are_means_and_decode(build, x):
    model = build()
    codes = model.encode(x)
    assert codes.shape == (5, model.size)
    drawn, parameters = model.descend(
        tf.zeros([5, model.size]), model.posterior(tf.constant(x), tf.zeros([5, model.size]))
    )
    for name, part in model.split(codes).items():
        np.testing.assert_allclose(part, drawn[name].posterior[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.reconstruct(x), parameters, rtol=1e-4, atol=1e-5)
    levels = np.clip(np.round((parameters.numpy() + 1) * 127.5), 0, 255)
    assert np.abs(model.decode(codes).astype("float64") - levels).max() <= 1


@pytest.mark.thorough
@both
def test_fixed_upper_latents_stay_and_lower_ones_follow_the_prior(build, x, rng):
    model = build()
    z = tf.constant(rng.normal(size=(5, model.size)), tf.float32)
    normal = tf.constant(rng.normal(size=(5, model.size)), tf.float32)
    kept = model.split(z)
    for layers in range(model.depth + 1):
        drawn, _ = model.descend(normal, model.above(tf.fill([5], layers), model.known(z)))
        for name, part in model.split(model.as_vector(drawn)).items():
            same = np.array_equal(part, kept[name])
            assert same == (int(name[1]) > layers), (name, layers)
        log_p = FACTORS[build](model, x, model.as_vector(drawn))[1]
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


@pytest.mark.slow
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
            upper, _ = model.descend(first, model.posterior(tf.constant(copies), first))
            log_q, log_p, _ = FACTORS[build](model, copies, model.as_vector(upper))
            known = model.known(model.as_vector(upper))
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
    refused(
        rf"'{other.name}' accepts inputs of shapes \[\(4,\), \(5,\)\], but", bottom_up=bottom_up
    )
    small = linear([FEATURES, FEATURES], [5, 5])
    refused(r"z1_td has shape \(5,\) in inference, but", lateral=[small, parts.lateral[1]])
    top_down = [linear([FEATURES, 3, 3], [2, 2]), parts.top_down[1]]
    refused(r"has 2 outputs: .* \(number of latent variables: 2\)", top_down=top_down)
    refused("network outputs of shape", decoder=linear([FEATURES, 2, 2], [DATA + 1]))


@pytest.mark.thorough
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
