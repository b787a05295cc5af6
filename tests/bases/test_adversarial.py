"""Every hook is used alike by `fit` and `evaluate`, and a step goes as the paper's."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.bases import AdversarialModel
from keras_gen.bases.adversarial import lazily
from keras_gen.bases.edges import Images
from keras_gen.losses import DRAGAN, R1, GradientPenalty
from keras_gen.losses.penalties import Penalty

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


class Toy(AdversarialModel):
    """The generator makes -2 x of x, without noise, and the critic says 3 x."""

    def __init__(self, critic=None, objective="wasserstein", **kwargs):
        generator = keras.Sequential([linear(1, -2.0), keras.layers.Reshape((1, 1, 1))])
        super().__init__(generator, critic or linear(1, CRITIC), objective, **kwargs)
        self.edges["x"] = Images((1, 1, 1))
        self.uses = []

    networks = property(lambda self: {n: getattr(self, n) for n in ("generator", "discriminator")})

    def generated(self, use, batch, training):
        self.uses.append((use, batch["x"].numpy().ravel().tolist()))
        return self.generator(batch["x"], training=training)


class Packed(Toy):
    """The critic sees two images at once: Lin, Khetan, Fanti, Oh: "PacGAN", NeurIPS 2018."""

    def __init__(self, **kwargs):
        super().__init__(linear(2, 1.0, 10.0), **kwargs)

    def shown(self, images, batch):
        return tf.concat(tf.split(images, 2), axis=-1)


class Matching(Toy):
    """The generator has a second term, and the size of its images is reported."""

    def loss_weights(self):
        return super().loss_weights() | {"distance": 0.5, "size": None}

    def generator_terms(self, batch, training):
        terms = super().generator_terms(batch, training)
        fake = self.generator(batch["x"], training=training)
        distance = tf.reduce_sum((fake - batch["x"]) ** 2, [1, 2, 3])
        return terms | {"distance": distance, "size": tf.reduce_sum(tf.abs(fake), [1, 2, 3])}


class Drifting(Toy):
    """The critic has a second term: Karras et al.: "Progressive Growing", ICLR 2018, app. A.1."""

    def loss_weights(self):
        return super().loss_weights() | {"drift": 0.1}

    def discriminator_terms(self, batch, fake, use, training, weights=None):
        terms = super().discriminator_terms(batch, fake, use, training, weights)
        logits = self.discriminate(batch["x"], batch, training, weights)
        return terms | {"drift": logits[:, 0] ** 2}


class Judging(Toy):
    """Every logit is doubled."""

    def discriminate(self, images, batch, training, weights=None, keep_state=False):
        return 2 * super().discriminate(images, batch, training, weights, keep_state)


class Generating(Toy):
    """Every fake is 1."""

    def generated(self, use, batch, training):
        return 0 * super().generated(use, batch, training) + 1.0


def compiled(model, d_rate=0.0, g_rate=0.0):
    d_optimizer, g_optimizer = keras.optimizers.SGD(d_rate), keras.optimizers.SGD(g_rate)
    model.compile(d_optimizer=d_optimizer, g_optimizer=g_optimizer, run_eagerly=True)
    return model


def fit(model, x=X, **kwargs):
    history = model.fit(x, batch_size=len(x), shuffle=False, verbose=0, **kwargs).history
    return {name: values[-1] for name, values in history.items()}


def weights(network):
    return [float(w) for w in network.get_weights()[0].ravel()]


# Means over the batch, of what the critic says of real images and of fakes.
REAL, FOOLED = CRITIC * X.mean(), CRITIC * FAKE.mean()
PACKS = X[:2].mean() + 10 * X[2:].mean()
ACCURACIES = {"real_accuracy": 0.75, "fake_accuracy": 0.75}
HOOKS = {
    Toy: {"d_loss": FOOLED - REAL, "g_loss": -FOOLED, **ACCURACIES},
    Packed: {"d_loss": -3 * PACKS, "g_loss": 2 * PACKS, "real_accuracy": 1, "fake_accuracy": 1},
    Matching: {
        "d_loss": FOOLED - REAL,
        "g_loss": -FOOLED + 0.5 * 9 * np.mean(X**2),
        "distance_loss": 9 * np.mean(X**2),
        "size": np.abs(FAKE).mean(),
        **ACCURACIES,
    },
    Drifting: {
        "d_loss": FOOLED - REAL + 0.1 * 9 * np.mean(X**2),
        "g_loss": -FOOLED,
        "drift_loss": 9 * np.mean(X**2),
        **ACCURACIES,
    },
    Judging: {"d_loss": 2 * (FOOLED - REAL), "g_loss": -2 * FOOLED, **ACCURACIES},
    Generating: {"d_loss": CRITIC - REAL, "g_loss": -CRITIC}
    | {"real_accuracy": 0.75, "fake_accuracy": 0},
}


@pytest.mark.parametrize("cls", HOOKS)
def test_hooks_are_used_alike_by_fit_and_evaluate(cls):
    model, expected = compiled(cls()), pytest.approx(HOOKS[cls], rel=1e-6)
    assert fit(model) == expected
    assert model.evaluate(X, batch_size=4, return_dict=True, verbose=0) == expected
    assert set(model.loss_names) == HOOKS[cls].keys()


class TestSteps:
    def test_one_by_hand(self):
        model = compiled(Toy(), d_rate=0.5, g_rate=0.25)
        logs = fit(model)
        # The critic's gradient is the mean fake less the mean real image.
        critic = CRITIC - 0.5 * (FAKE.mean() - X.mean())
        assert weights(model.discriminator) == pytest.approx([critic])
        # The generator plays against the critic as it is by then.
        assert logs["d_loss"] == pytest.approx(FOOLED - REAL)
        assert logs["g_loss"] == pytest.approx(-critic * FAKE.mean())
        generator = -2 + 0.25 * critic * X.mean()
        assert weights(model.generator.layers[0]) == pytest.approx([generator])

    def test_k_updates_of_the_discriminator_see_other_images_and_noise(self):
        model = compiled(Toy(discriminator_steps=2))
        fit(model)
        assert model.uses == [
            ("discriminator 0", [0.5, 1.0]),
            ("discriminator 1", [-0.25, 0.25]),
            ("generator", [-0.25, 0.25]),
        ]
        assert model.d_optimizer.iterations.numpy() == 2
        assert model.g_optimizer.iterations.numpy() == model.step.numpy() == 1

    @pytest.mark.parametrize(
        "k,count,expected",
        [
            (1, 5, [[0, 1, 2, 3, 4]]),
            (2, 4, [[0, 2], [1, 3]]),
            (2, 5, [[0, 2, 4], [1, 3, 0]]),  # Of a short last batch some are used twice.
            (3, 4, [[0, 3], [1, 0], [2, 1]]),
            (3, 1, [[0], [0], [0]]),
        ],
    )
    def test_parts_are_equal_in_size_and_hold_all(self, k, count, expected):
        numbers = tf.range(count)
        parts = Toy(discriminator_steps=k)._parts({"x": numbers, "labels": 10 * numbers})
        assert [part["x"].numpy().tolist() for part in parts] == expected
        for part in parts:
            np.testing.assert_array_equal(part["labels"], 10 * part["x"])

    def test_an_objective_that_compares_is_shown_both(self):
        model = compiled(Toy(objective="relativistic"))
        difference = CRITIC * (X.ravel() - FAKE)
        expected = {
            "d_loss": np.log1p(np.exp(-difference)).mean(),
            "g_loss": np.log1p(np.exp(difference)).mean(),
            **ACCURACIES,
        }
        assert fit(model) == pytest.approx(expected, rel=1e-5)

    @pytest.mark.parametrize("axes", [(), (2,), (2, 3)])
    def test_accuracies_are_means_over_maps_of_logits(self, axes):
        class Map(Toy):
            def discriminate(self, images, batch, training, weights=None, keep_state=False):
                logits = super().discriminate(images, batch, training, weights, keep_state)
                return tf.reshape(logits, [-1, *[1] * len(axes)]) * tf.ones([4, *axes])

        logs = fit(compiled(Map()))
        assert (logs["real_accuracy"], logs["fake_accuracy"]) == (0.75, 0.75)

    @pytest.mark.parametrize("objective,right", [("hinge", 0.75), ("kl", 0.5), ("pearson", 0.75)])
    def test_accuracies_are_those_of_the_objectives_threshold(self, objective, right):
        # Of the logits 1.5, -0.75, 3, 0.75 of real images, beside those of fakes, which are far.
        logs = fit(compiled(Toy(objective=objective)))
        assert (logs["real_accuracy"], logs["fake_accuracy"]) == (right, 0.75)

    def test_what_follows_an_update_of_the_discriminator(self):
        class Counting(Toy):
            def discriminator_updated(self):
                seen.append((weights(self.discriminator)[0], self.d_optimizer.iterations.numpy()))

        seen = []
        fit(compiled(Counting(discriminator_steps=2), d_rate=0.5))
        first = CRITIC - 0.5 * (FAKE[::2].mean() - X[::2].mean())
        second = first - 0.5 * (FAKE[1::2].mean() - X[1::2].mean())
        assert seen == [(pytest.approx(first), 1), (pytest.approx(second), 2)]


class TestOptimizers:
    def test_each_has_an_optimizer_of_its_own_by_default(self):
        class Slow(Toy):
            def default_optimizer(self):
                return keras.optimizers.SGD(0.125)

        model = Toy()
        model.compile()
        assert model.d_optimizer is not model.g_optimizer
        for optimizer in (model.d_optimizer, model.g_optimizer):
            assert isinstance(optimizer, keras.optimizers.Adam) and optimizer.beta_1 == 0.5
        model = Slow()
        model.compile(g_optimizer="adam")
        assert float(model.d_optimizer.learning_rate) == 0.125
        assert isinstance(model.g_optimizer, keras.optimizers.Adam)

    def test_bad_arguments(self):
        with pytest.raises(ValueError, match="discriminator_steps is 0: at least 1"):
            Toy(discriminator_steps=0)
        with pytest.raises(ValueError, match=r"'batch_normalization.*mixes them"):
            Toy(normalizing(), penalty="gradient")

    def test_the_base_says_what_is_missing(self):
        model = AdversarialModel(linear(1, 1.0), linear(1, 1.0), "hinge")
        with pytest.raises(
            NotImplementedError, match="AdversarialModel does not say what is gener"
        ):
            model.generated("use", {}, training=True)


def normalizing():
    layers = [keras.layers.BatchNormalization(), keras.layers.Flatten(), keras.layers.Dense(1)]
    return keras.Sequential([keras.Input((1, 1, 1)), *layers])


class TestJudge:
    def moved(self, **kwargs):
        model = Toy(normalizing())
        before = model.discriminator.non_trainable_variables[0].numpy()
        model.discriminate(X, {"x": X}, **kwargs)
        return not np.array_equal(before, model.discriminator.non_trainable_variables[0].numpy())

    def test_moving_statistics_follow_training_alone(self):
        own = [v.value for v in Toy(normalizing()).discriminator.trainable_variables]
        assert self.moved(training=True)
        assert not self.moved(training=False)
        assert not self.moved(training=True, keep_state=True)
        assert not self.moved(training=True, weights=own)

    @pytest.mark.parametrize("objective,passes", [("wasserstein", 3), ("relativistic", 4)])
    def test_the_generator_is_shown_real_images_only_to_compare(self, objective, passes):
        class Spying(Toy):
            def discriminate(self, images, batch, training, weights=None, keep_state=False):
                seen.append(training)
                return super().discriminate(images, batch, training, weights, keep_state)

        seen, model = [], compiled(Spying(objective=objective))
        fit(model)
        assert seen == [True] * passes
        model.evaluate(X, verbose=0)
        assert seen[passes:] == [False] * passes

    @pytest.mark.parametrize("objective", ["wasserstein", "relativistic"])
    def test_together_real_and_generated_images_are_one_batch(self, objective):
        class Joint(Toy):
            together = True

        model, fake = Joint(normalizing(), objective=objective), X - 2.0
        model.discriminator.layers[-1].set_weights([np.ones((1, 1)), np.zeros(1)])
        logits = model.discriminator(np.concatenate([X, fake]), training=True)
        real_logits, fake_logits = logits[: len(X)], logits[len(X) :]
        assert np.abs(model.discriminator(fake, training=True) - fake_logits).max() > 0.1
        terms = model.discriminator_terms({"x": X}, fake, "use", training=True)
        expected = model.objective.discriminator(real_logits, fake_logits)
        np.testing.assert_allclose(terms["discrimination"], expected, rtol=1e-5)
        loss = model.adversarial_loss(fake, {"x": X}, training=True)
        both = (fake_logits, real_logits)[: 1 + model.objective.compares]
        np.testing.assert_allclose(loss, model.objective.generator(*both), rtol=1e-5)

    def test_other_weights_judge_otherwise(self):
        model = Toy(penalty=R1(2.0))
        for weights, slope in [(None, CRITIC), ([tf.constant([[5.0]])], 5)]:
            logits = model.discriminate(X, {"x": X}, False, weights)
            np.testing.assert_allclose(logits[:, 0], slope * X.ravel())
            adversarial = model.adversarial_loss(X, {"x": X}, False, weights)
            np.testing.assert_allclose(adversarial, -slope * X.ravel())
            terms = model.discriminator_terms({"x": tf.constant(X)}, 2 * X, "use", False, weights)
            np.testing.assert_allclose(terms["discrimination"], slope * X.ravel())
            np.testing.assert_allclose(terms["penalty"], [slope**2] * 4)


class TestPenalties:
    @pytest.mark.parametrize(
        "penalty,value", [(GradientPenalty(10.0, every=3), 40.0), (R1(2.0, every=3), 9.0)]
    )
    def test_count_as_often_as_they_are_computed_and_once_in_evaluation(self, penalty, value):
        model = compiled(Toy(penalty=penalty))
        without = FOOLED - REAL
        for factor in (3, 0, 0, 3):
            assert fit(model)["d_loss"] == pytest.approx(without + factor * value, rel=1e-5)
            evaluated = model.evaluate(X, return_dict=True, verbose=0)["d_loss"]
            assert evaluated == pytest.approx(without + value, rel=1e-5)

    def test_lie_between_real_images_and_fakes_at_random_points(self):
        model, seen = Toy(), []
        model.penalty = type("Spy", (Penalty,), {"__call__": lambda self, *a: seen.append(a[1:])})()
        for use in ("penalty 0", "penalty 1"):
            model.discriminator_terms({"x": tf.constant(X)}, 2 * X, use, training=True)
        for real, fake, mix in seen:
            np.testing.assert_array_equal(real, X)
            np.testing.assert_array_equal(fake, 2 * X)
            assert mix.shape == (4, 1, 1, 1) and len(np.unique(mix)) == 4
        assert not np.array_equal(seen[0][2], seen[1][2])

    def test_may_take_noise_for_every_value(self):
        model, seen = Toy(), []
        model.penalty = type("Spy", (DRAGAN,), {"__call__": lambda self, *a: seen.append(a[3])})()
        x = tf.zeros([5000, 1, 1, 1])
        for use in ("penalty 0", "penalty 1"):
            model.discriminator_terms({"x": x}, x, use, training=True)
        for noise in seen:
            assert noise.shape == x.shape
            assert abs(np.mean(noise)) < 0.06 and np.std(noise) == pytest.approx(1, abs=0.05)
        assert abs(np.mean(seen[0] * seen[1])) < 0.06

    def test_are_judged_through_the_hooks(self):
        # The logits are doubled, and so is their slope: 10 (2 * 3 - 1)^2.
        model = compiled(Judging(penalty="gradient"))
        expected = 2 * (FOOLED - REAL) + 250
        assert fit(model)["d_loss"] == pytest.approx(expected, rel=1e-5)

    def test_train_the_critic(self):
        model = compiled(Toy(penalty=R1(2.0)), d_rate=0.125)
        fit(model)
        # The penalty is w^2 and its gradient 2 w.
        expected = CRITIC - 0.125 * (FAKE.mean() - X.mean() + 2 * CRITIC)
        assert weights(model.discriminator) == pytest.approx([expected])


@pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])
def test_lazily(graph):
    weight, step, calls = tf.Variable(2.0), tf.Variable(0, dtype=tf.int64), []

    def compute():
        calls.append(1)
        return weight * tf.ones([2])

    def term(every):
        with tf.GradientTape() as tape:
            value = lazily(every, step, 2, compute)
        return value, tape.gradient(value, weight, unconnected_gradients="zero")

    term = tf.function(term) if graph else term
    for number, factor in enumerate([3, 0, 0, 3]):
        step.assign(number)
        value, slope = term(3)
        np.testing.assert_array_equal(value, [2 * factor] * 2)
        assert float(slope) == 2 * factor
        value, slope = term(1)
        np.testing.assert_array_equal(value, [2, 2])
        assert float(slope) == 2
    # In a graph it is traced once for each interval, and else computed only when it is due.
    assert len(calls) == (2 if graph else 2 + 4)
