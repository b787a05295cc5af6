"""Growth inside one `fit`: which size when, what is computed, what joins, and what is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.gan import JoiningAdam, ProgressiveGAN
from keras_gen.losses import R1, Wasserstein
from keras_gen.networks.gan.progressive_networks import resized

SHAPE, SIZES = (16, 16, 1), dict(filters=3, width=32)


def build(shape=SHAPE, **kwargs):
    arguments = dict(stable_steps=2, fade_steps=4, penalty=R1(2.0)) | kwargs
    return ProgressiveGAN.for_images(shape, latent_dim=3, **SIZES, **arguments)


def at(model, step):
    model.step.assign(step)
    return model


@pytest.fixture(scope="module")
def model():
    return build()


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (4, *SHAPE), "uint8")


def test_the_schedule(model):
    """2 steps of 4x4, 4 of a fade, 2 of 8x8, 4 of a fade, 16x16 to the end."""
    found = [(at(model, s).level(), float(model.fraction())) for s in range(14)]
    levels = [0] * 2 + [1] * 6 + [2] * 6
    fractions = [0, 0.25, 0.5, 0.75, 1, 1]
    assert [level for level, _ in found] == levels
    assert [fraction for _, fraction in found[2:]] == fractions * 2
    assert at(model, 10**6).level() == 2 and float(model.fraction()) == 1


def test_real_images_are_averaged_down_and_fade(model, images):
    full = images / 127.5 - 1
    for step, side, fraction in ((0, 4, 0), (3, 8, 0.25), (6, 8, 1), (9, 16, 0.25), (13, 16, 1)):
        found = at(model, step).prepare_batch(images)["x"]
        large = resized(full, side)
        if side > 4:
            large = fraction * large + (1 - fraction) * resized(resized(full, side // 2), side)
        np.testing.assert_allclose(found, large, atol=1e-5)


def test_samples_have_the_full_size_at_every_time(model):
    for step, side in ((0, 4), (2, 4), (5, 8), (8, 8), (12, 16)):  # 2 and 8: nothing has faded in
        samples = at(model, step).sample(4, seed=1)
        assert samples.shape == (4, *SHAPE)
        coarse = (
            samples[:, :: 16 // side, :: 16 // side].repeat(16 // side, 1).repeat(16 // side, 2)
        )
        np.testing.assert_array_equal(samples, coarse)


@pytest.mark.thorough
def test_a_step_computes_the_size_in_use_and_no_other(images):
    model = build()
    model.compile()
    for step, largest in ((0, 4), (3, 8)):
        at(model, step)
        graph = tf.function(model.train_step).get_concrete_function((tf.constant(images),)).graph
        maps = [op.outputs[0] for op in graph.get_operations() if op.type == "Conv2D"]
        assert max(convolved.shape[1] for convolved in maps) == largest, step


@pytest.mark.slow
def test_weights_that_join_start_afresh_and_others_go_on(images):
    model = build()
    model.compile()
    assert isinstance(model.g_optimizer, JoiningAdam)
    data = tf.data.Dataset.from_tensors(images).repeat()
    model.fit(data, steps_per_epoch=5, verbose=0)  # 2 steps of 4x4 and 3 of a fade
    for optimizer, network in ((model.d_optimizer, model.discriminator),
                               (model.g_optimizer, model.generator)):  # fmt: skip
        assert sorted({int(count) for count in optimizer.updates}) == [0, 3, 5]
        for part, counts in ((0, {5}), (1, {3, 5})):
            weights = keras.Model(network.inputs, network.outputs[part]).trainable_variables
            places = [optimizer._get_variable_index(weight) for weight in weights]
            assert {int(optimizer.updates[place]) for place in places} == counts
    # What waits is as it was made: its moments too.
    waiting = [i for i, count in enumerate(model.g_optimizer.updates) if not int(count)]
    assert waiting
    for place in waiting:
        assert not np.any(model.g_optimizer._velocities[place].numpy())


def test_a_fade_does_not_jump(images):
    """At fraction 0, the losses equal the losses at the smaller size."""
    model = build(penalty=None)
    model.compile()
    losses = []
    for step in (1, 2):
        losses.append(at(model, step).test_step((images,))["d_loss"].numpy())
        model.reset_metrics()
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.slow
def test_several_steps_at_once(images):
    """The size changes between executions; in between it could not."""
    data = tf.data.Dataset.from_tensors(images[:, ::2, ::2]).repeat()
    states = []
    for several in (1, 2):
        keras.utils.set_random_seed(0)
        model = build((8, 8, 1), stable_steps=2, fade_steps=2)
        model.compile(steps_per_execution=several)
        model.fit(data, steps_per_epoch=6, verbose=0)
        states.append([np.array(w) for w in model.generator.trainable_variables])
    for one, other in zip(*states, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_several_steps_in_which_the_size_would_change():
    with pytest.raises(
        ValueError, match=r"stable_steps is 2 .* multiples of steps_per_execution=3"
    ):
        build().compile(steps_per_execution=3)


def test_the_critics_outputs_are_held_near_zero():
    objective = Wasserstein(drift=0.5)
    real, fake = tf.constant([[2.0]]), tf.constant([[3.0]])
    np.testing.assert_allclose(objective.discriminator(real, fake), [3 - 2 + 0.5 * 4])
    assert ProgressiveGAN.for_images(SHAPE, 3, **SIZES).objective == Wasserstein(drift=1e-3)


def test_sides_that_are_not_powers_of_two_are_refused():
    with pytest.raises(ValueError, match="24x24 pixels: expected squares"):
        ProgressiveGAN.for_images((24, 24, 1))
