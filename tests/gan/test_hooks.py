"""Every hook is used alike by `fit` and `evaluate`, and a step goes as the paper's."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import stateless, training_step
from keras_gen.core.kinds_of_data import Images
from keras_gen.declared import network
from keras_gen.gan import GAN
from keras_gen.losses import DRAGAN, R1
from shared import with_sgd

# Images of one pixel.
X = np.array([0.5, -0.25, 1.0, 0.25], "float32").reshape(-1, 1, 1, 1)
FAKE = -2.0 * X.ravel()
CRITIC = 3.0


def linear(channels, *weights):
    """Images of one pixel to one number: the sum of channels times weights."""
    inputs = keras.Input((1, 1, channels))
    layer = keras.layers.Dense(1, use_bias=False)
    network = keras.Model(inputs, layer(keras.layers.Flatten()(inputs)))
    layer.set_weights([np.array(weights, "float32")[:, None]])
    return network


class Toy(GAN):
    """The generator makes -2 x of x, without noise, and the critic says 3 x."""

    networks = property(lambda self: {n: getattr(self, n) for n in ("generator", "discriminator")})

    def set_up(self):
        super().set_up()
        self.uses = []

    def generated(self, use, batch):
        self.uses.append((use, batch["x"].numpy().ravel().tolist()))
        return self.made(batch)

    def made(self, batch):
        return self.generator(tf.reshape(batch["x"], [-1, 1]), training=self.training)


class Packed(Toy):
    """The critic sees two images at once: Lin, Khetan, Fanti, Oh: "PacGAN", NeurIPS 2018."""

    discriminator: keras.Model = network("pack -> logits")

    def discriminator_inputs(self, images, batch):
        return tf.concat(tf.split(images, 2), axis=-1)


class Paired(Toy):
    """Real is y, and the condition x is another channel: Isola et al.: "pix2pix", CVPR 2017."""

    batch = ("x", "y")
    discriminator: keras.Model = network("pair -> logits")

    def set_up(self):
        super().set_up()
        self.edges["y"] = Images((1, 1, 1))

    def real(self, batch):
        return batch["y"]

    def discriminator_inputs(self, images, batch):
        return tf.concat([images, batch["x"]], axis=-1)


CRITICS = {Packed: (2, 1.0, 10.0), Paired: (2, CRITIC, 7.0)}


def toy(cls=Toy, critic=None, objective="wasserstein", **options):
    """A model of a class, with a linear critic."""
    number = keras.Sequential([keras.Input((1,)), keras.layers.Reshape((1, 1, 1))])
    generator = keras.Sequential([number, linear(1, -2.0), keras.layers.Reshape((1, 1, 1))])
    critic = critic or linear(*CRITICS.get(cls, (1, CRITIC)))
    return cls(generator, critic, objective, **options)


class Matching(Toy):
    """The generator has a second term, and the size of its images is reported."""

    def loss_weights(self):
        return super().loss_weights() | {"distance": 0.5, "size": None}

    def generator_terms(self, batch):
        terms = super().generator_terms(batch)
        fake = self.made(batch)
        distance = tf.reduce_sum((fake - batch["x"]) ** 2, [1, 2, 3])
        return terms | {"distance": distance, "size": tf.reduce_sum(tf.abs(fake), [1, 2, 3])}


class Drifting(Toy):
    """The critic has a second term: Karras et al.: "Progressive Growing", ICLR 2018, app. A.1."""

    def loss_weights(self):
        return super().loss_weights() | {"drift": 0.1}

    def discriminator_terms(self, batch, fake, use):
        terms = super().discriminator_terms(batch, fake, use)
        return terms | {"drift": self.discriminate(batch["x"], batch)[:, 0] ** 2}


class Doubling(Toy):
    """Every logit is doubled."""

    def discriminate(self, *args, **kwargs):
        return 2 * super().discriminate(*args, **kwargs)


class Generating(Toy):
    """Every fake is 1."""

    def generated(self, use, batch):
        return 0 * super().generated(use, batch) + 1.0


def compiled(model, d_rate=0.0, g_rate=0.0):
    return with_sgd(model, d_rate, g_rate, run_eagerly=True)


def fit(model, *data):
    data = data or (X,)
    history = model.fit(*data, batch_size=len(data[0]), shuffle=False, verbose=0).history
    return {name: history[name][-1] for name in model.loss_names}


def weights(network):
    return [float(w) for w in network.get_weights()[0].ravel()]


# Means over the batch, of what the critic says of real images and of fakes.
REAL, FOOLED = CRITIC * X.mean(), CRITIC * FAKE.mean()
PACKS = X[:2].mean() + 10 * X[2:].mean()
HOOKS = {
    Toy: {"d_loss": FOOLED - REAL, "g_loss": -FOOLED},
    Packed: {"d_loss": -3 * PACKS, "g_loss": 2 * PACKS},
    Matching: {
        "d_loss": FOOLED - REAL,
        "g_loss": -FOOLED + 0.5 * 9 * np.mean(X**2),
        "distance_loss": 9 * np.mean(X**2),
        "size": np.abs(FAKE).mean(),
    },
    Drifting: {
        "d_loss": FOOLED - REAL + 0.1 * 9 * np.mean(X**2),
        "g_loss": -FOOLED,
        "drift_loss": 9 * np.mean(X**2),
    },
    Doubling: {"d_loss": 2 * (FOOLED - REAL), "g_loss": -2 * FOOLED},
    Generating: {"d_loss": CRITIC - REAL, "g_loss": -CRITIC},
}


@pytest.mark.thorough
@pytest.mark.parametrize("cls", HOOKS)
def test_hooks_are_used_alike_by_fit_and_evaluate(cls):
    model = compiled(toy(cls))
    expected = pytest.approx(HOOKS[cls], rel=1e-6)
    assert fit(model) == expected
    assert model.evaluate(X, batch_size=4, return_dict=True, verbose=0) == expected
    assert set(model.loss_names) == HOOKS[cls].keys()


def test_real_examples_are_those_of_the_hook_in_every_term_and_the_penalty():
    y = 0.25 - X / 2
    model = compiled(toy(Paired, penalty=R1(2.0)))
    # What the critic says of the condition cancels; the penalty is of its slope by images alone.
    for logs in (fit(model, X, y), model.evaluate(X, y, return_dict=True, verbose=0)):
        assert logs["d_loss"] == pytest.approx(FOOLED - CRITIC * y.mean() + CRITIC**2, rel=1e-5)
        assert logs["g_loss"] == pytest.approx(-FOOLED - 7 * X.mean(), rel=1e-5)


def test_an_augmentation_moves_a_condition_with_its_image(rng):
    seen = []

    class Spying(Toy):
        def discriminator_inputs(self, images, batch):
            if batch["separate"]:
                return [images, batch["x"]]
            return tf.concat([images, batch["x"]], axis=-1)

    def discriminator(shown, training):
        seen.append(shown)
        return shown

    model = toy(Spying, augmentation=("translation",))
    model.discriminator = discriminator
    images = rng.uniform(-1, 1, (8, 16, 16, 1)).astype("float32")
    model.discriminate(tf.constant(images), {"x": images, "separate": False})
    image, condition = np.split(seen[0], 2, axis=-1)
    np.testing.assert_array_equal(image, condition)
    assert not np.array_equal(image, images)
    # One that is no channel, such as a label, stays.
    model.discriminate(tf.constant(images), {"x": images, "separate": True})
    np.testing.assert_array_equal(seen[1][0], image)
    np.testing.assert_array_equal(seen[1][1], images)


class TestSteps:
    def test_minibatches_hold_the_same_examples_of_every_array(self):
        numbers = tf.range(5)
        model = toy(discriminator_steps=2)
        with training_step(model):
            found = model.minibatches({"x": numbers, "labels": 10 * numbers})
        assert [part["x"].numpy().tolist() for part in found] == [[0, 2, 4], [1, 3, 0]]
        for part in found:
            np.testing.assert_array_equal(part["labels"], 10 * part["x"])
        whole = {"x": numbers}
        assert toy().minibatches(whole) == [whole]

    @pytest.mark.parametrize("axes", [(), (2, 3)])
    def test_accuracies_are_means_over_maps_of_logits(self, axes):
        class Map(Toy):
            def discriminate(self, *args, **kwargs):
                logits = super().discriminate(*args, **kwargs)
                return tf.reshape(logits, [-1, *[1] * len(axes)]) * tf.ones([4, *axes])

        logs = fit(compiled(toy(Map, objective="hinge")))
        assert (logs["real_accuracy"], logs["fake_accuracy"]) == (0.75, 0.75)

    @pytest.mark.parametrize("objective,right", [("hinge", 0.75), ("kl", 0.5)])
    def test_accuracies_are_those_of_the_objectives_threshold(self, objective, right):
        # Of the logits 1.5, -0.75, 3, 0.75 of real images; those of fakes are far.
        logs = fit(compiled(toy(objective=objective)))
        assert (logs["real_accuracy"], logs["fake_accuracy"]) == (right, 0.75)


def normalizing():
    layers = [keras.layers.BatchNormalization(), keras.layers.Flatten(), keras.layers.Dense(1)]
    return keras.Sequential([keras.Input((1, 1, 1)), *layers])


class TestDiscriminator:
    @pytest.mark.parametrize("keep_state", [False, True])
    def test_moving_statistics_follow_training_alone(self, keep_state):
        model = toy(Toy, normalizing())
        (mean, *_) = model.discriminator.non_trainable_variables
        before = mean.numpy()
        model.discriminate(X, {"x": X}, keep_state=keep_state)
        assert np.array_equal(before, mean.numpy())
        with training_step(model):
            model.discriminate(X, {"x": X}, keep_state=keep_state)
        assert np.array_equal(before, mean.numpy()) == keep_state

    @pytest.mark.parametrize("objective,passes", [("wasserstein", 3), ("relativistic", 4)])
    def test_the_generator_is_shown_real_images_only_to_compare(self, objective, passes):
        class Spying(Toy):
            def discriminate(self, images, batch, **kwargs):
                seen.append(self.training)
                return super().discriminate(images, batch, **kwargs)

        seen = []
        model = compiled(toy(Spying, objective=objective))
        fit(model)
        assert seen == [True] * passes
        model.evaluate(X, verbose=0)
        assert seen[passes:] == [False] * passes

    def test_other_weights_and_other_networks_give_other_logits(self):
        model = toy(penalty=R1(2.0))
        other = [tf.constant([[5.0]])]
        with stateless(model.discriminator, other):
            logits = model.discriminate(X, {"x": X})
            np.testing.assert_allclose(logits[:, 0], 5 * X.ravel())
            adversarial = model.adversarial_loss(X, {"x": X})
            np.testing.assert_allclose(adversarial, -5 * X.ravel())
            terms = model.discriminator_terms({"x": tf.constant(X)}, 2 * X, "use")
            np.testing.assert_allclose(terms["discrimination"], 5 * X.ravel())
            np.testing.assert_allclose(terms["penalty"], [25] * 4)
        logits = model.discriminate(X, {"x": X}, network=linear(1, 11.0))
        np.testing.assert_allclose(logits[:, 0], 11 * X.ravel())


class TestPenalties:
    def test_may_take_noise_for_every_value(self):
        model, seen = toy(), []
        x = tf.zeros([5000, 1, 1, 1])

        class Spy(DRAGAN):
            def __call__(self, discriminator, real, fake, epsilon):
                seen.append(epsilon)
                return tf.zeros([5000])

        model.penalty = Spy()
        for use in ("penalty 0", "penalty 1"):
            model.discriminator_terms({"x": x}, x, use)
        for noise in seen:
            assert noise.shape == x.shape
            assert abs(np.mean(noise)) < 0.06 and np.std(noise) == pytest.approx(1, abs=0.05)
        assert abs(np.mean(seen[0] * seen[1])) < 0.06

    def test_are_of_the_hooks_logits(self):
        # The logits are doubled, and so is their slope: 10 (2 * 3 - 1)^2.
        model = compiled(toy(Doubling, penalty="gradient"))
        expected = 2 * (FOOLED - REAL) + 250
        assert fit(model)["d_loss"] == pytest.approx(expected, rel=1e-5)
