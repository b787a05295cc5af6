"""A warning in words for each way to fail, and silence where training goes well."""

import keras
import numpy as np
import pytest

from all_tiny import TINY
from keras_gen.gan import GAN
from keras_gen.losses import R1
from keras_gen.metrics import ring_centers
from keras_gen.metrics.adversarial_health import AdversarialHealth
from tiny import data, difference, state

ROWS = 320


def linear(inputs, outputs, kernel, bias=0.0):
    layer = keras.layers.Dense(outputs)
    network = keras.Sequential([keras.Input((inputs,)), layer])
    layer.set_weights([np.broadcast_to(kernel, (inputs, outputs)), np.full(outputs, bias)])
    return network


def gan(scale=1.0, place=0.0, slope=0.0, bias=0.0, **options):
    """Draws N(place, scale^2) of two numbers; logits are slope * x + bias."""
    generator = linear(2, 2, scale * np.eye(2), place)
    return GAN(generator, linear(2, 1, slope * np.eye(2)[:, :1], bias), data="vectors", **options)


def normal(rng, place=0.0, scale=1.0):
    return rng.normal(place, scale, (ROWS, 2)).astype("float32")


def wrong(model, x) -> set:
    """What the callback finds wrong."""
    health = AdversarialHealth(x)
    health.set_model(model)
    found = health.check()
    assert list(found) == ["saturated", "vanished", "repeated", "missing"]
    for sentence in filter(None, found.values()):
        assert ". Try " in sentence and sentence.endswith(".")
    return {name for name, sentence in found.items() if sentence}


class Joint(GAN):
    """Shows its discriminator real and generated examples as one batch."""

    def logits_of_both(self, batch, fake):
        both = keras.ops.concatenate([batch["x"], fake])
        logits = self.discriminate(both, batch)
        return [logits[: len(fake)], logits[len(fake) :]]


class TestLooks:
    @pytest.mark.parametrize("objective", ["minimax", "non_saturating", "least_squares", "hinge"])
    def test_equal_distributions_and_a_guess_are_well(self, objective, rng):
        assert wrong(gan(objective=objective), normal(rng)) == set()

    def test_a_guess_is_the_threshold_of_the_objective(self, rng):
        # The best logit of equal distributions is 1, whose loss is 0.
        assert wrong(gan(objective="kl", bias=1.0), normal(rng)) == set()

    def test_pairs_of_two_domains_are_compared_with_pairs(self, rng):
        model = TINY["CoGAN"].compiled()
        shape = model.training_edges["x"].shape
        images = rng.integers(0, 256, (2, 128, *shape)).astype("uint8")
        labels = [np.zeros(128, int)] if "labels" in model.batch else []
        health = AdversarialHealth(*images, *labels)
        health.set_model(model)
        assert set(health.check()) == {"saturated", "vanished", "repeated", "missing"}

    @pytest.mark.parametrize(
        "objective,slope,bias",
        [("non_saturating", 10, 0), ("hinge", 1, 0), ("least_squares", 1 / 8, 0.5)]
    )  # fmt: skip
    def test_a_discriminator_that_is_sure(self, objective, slope, bias, rng):
        x, apart = normal(rng, 4, 0.2), dict(scale=0.2, place=-4)
        found = wrong(gan(**apart, slope=slope, bias=bias, objective=objective), x)
        assert found == {"saturated", "missing"}
        # A tenth as steep it tells them as well, and is not sure.
        found = wrong(gan(**apart, slope=slope / 10, bias=bias, objective=objective), x)
        assert found == {"missing"}

    @pytest.mark.parametrize("together", [True, False])
    def test_images_are_judged_as_in_training(self, together, rng):
        """Normalized together they lie apart, and each normalized by itself about zero."""

        apart = gan(scale=0.2, place=-4)
        norm, judge = keras.layers.BatchNormalization(), linear(2, 1, [[10], [0]])
        discriminator = keras.Sequential([keras.Input((2,)), norm, judge])
        model = (Joint if together else GAN)(apart.generator, discriminator, data="vectors")
        assert ("saturated" in wrong(model, normal(rng, 4, 0.2))) == together

    def test_a_gradient_that_has_vanished(self, rng):
        # The slope of log(1 - D) is D, here about exp(-32).
        x, options = normal(rng, 4, 0.2), dict(scale=0.2, place=-4, slope=8)
        assert wrong(gan(objective="minimax", **options), x) == {"saturated", "vanished", "missing"}

    def test_a_critic_may_be_as_sure_as_it_likes(self, rng):
        model = gan(scale=0.2, place=-4, slope=10, objective="wasserstein")
        assert wrong(model, normal(rng, 4, 0.2)) == {"missing"}

    def test_samples_that_repeat(self, rng):
        assert wrong(gan(scale=1e-3), normal(rng)) == {"repeated", "missing"}

    def test_modes_that_are_missing(self, rng):
        centers = ring_centers(8)
        x = centers[rng.integers(8, size=ROWS)] + 0.05 * rng.normal(size=(ROWS, 2))
        model = gan(scale=0.05)
        model.generator.layers[-1].bias.assign(centers[3])
        health = AdversarialHealth(x.astype("float32"))
        health.set_model(model)
        found = health.check()
        assert {name for name, sentence in found.items() if sentence} == {"missing"}
        share = int(found["missing"].split("with ")[1].split("%")[0])
        assert 80 <= share <= 92  # seven of eight

    def test_changes_no_state_and_takes_what_fit_takes(self):
        model = TINY["ConditionalGAN"].compiled()
        before, rows = state(model), data(model, 100)
        health = AdversarialHealth(*rows)
        health.set_model(model)
        first = health.check()
        assert difference(model, before, state(model)) == {}
        assert health.check() == first


class TestSpeech:
    def spoken(self, *looks, **options):
        """What it says if epochs find these things wrong."""
        said = []
        health = AdversarialHealth(np.zeros([100, 2]), say=said.append, **options)
        looks = iter(looks)
        health.check = lambda: {"saturated": next(looks), "missing": ""}
        epochs = []
        for epoch in range(8):
            before = len(said)
            health.on_epoch_end(epoch)
            epochs += [epoch + 1] * (len(said) - before)
        return epochs, said

    def test_once_a_spell_after_some_looks(self):
        epochs, said = self.spoken("a", "a", "b", "a", "", "a", "a", "c", patience=2)
        assert epochs == [2, 7] and said == ["  health, epoch 2: a", "  health, epoch 7: a"]
        assert self.spoken("a", "", "a", "", "a", "", "a", "", patience=2) == ([], [])

    def test_every_few_epochs(self):
        assert self.spoken("a", "a", every=4, patience=2)[0] == [8]


class TestTrainings:
    """The same networks on the same data, with rates that suit them and with others."""

    def train(self, rng, place, d_optimizer, g_optimizer, **options):
        x, said = normal(rng, 1.0, 0.3), []
        hidden = keras.layers.Dense(16, activation="tanh")
        discriminator = keras.Sequential([keras.Input((2,)), hidden, keras.layers.Dense(1)])
        generator = linear(2, 2, 0.3 * np.eye(2), place)
        model = GAN(generator, discriminator, data="vectors", **options)
        model.compile(d_optimizer=d_optimizer, g_optimizer=g_optimizer)
        health = AdversarialHealth(x, say=said.append)
        history = model.fit(x, batch_size=32, epochs=8, verbose=0, callbacks=[health]).history
        assert len(history["d_loss"]) == 8  # it never stops a run
        return said, generator.layers[-1].bias.numpy()

    @pytest.mark.thorough
    def test_a_healthy_one_is_silent(self, rng):
        sgd = keras.optimizers.SGD
        said, place = self.train(rng, 0.4, sgd(0.5), sgd(0.2), penalty=R1(1.0))
        assert said == []
        np.testing.assert_allclose(place, [1, 1], atol=0.1)  # where the data are

    @pytest.mark.thorough
    def test_a_discriminator_that_wins(self, rng):
        adam, still = keras.optimizers.Adam(0.1), keras.optimizers.SGD(0.0)
        said, _ = self.train(rng, -1.0, adam, still, objective="minimax")
        assert len(said) == 3
        for sentence in (
            "is certain of every example",
            "gradient has vanished",
            "modes are missing",
        ):
            assert sum(sentence in each for each in said) == 1
