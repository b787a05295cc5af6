"""Models of one player that minimizes terms: how they train, what they report, how they score."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.core import LikelihoodModel, log_prob
from keras_gen.core.kinds_of_data import Counts, Images, Labels, Levels, Vectors
from keras_gen.core.likelihood_model import edge_of
from keras_gen.core.schedules import Linear
from keras_gen.losses import Bernoulli, Categorical, Multinomial, Normal, Poisson, UnboundedNormal
from shared import line, slope

X = np.array([[1.0], [3.0]], "float32")


class Slope(LikelihoodModel):
    """Terms of y = w x: y^2 counts `weight` times, |y| is watched."""

    def __init__(self, network, weight=1.0, watched=True, **kwargs):
        super().__init__(**kwargs)
        self.network, self.weight, self.watched = network, weight, watched
        self.edges["x"] = Vectors((1,), "numbers")
        self.calls = []

    def loss_weights(self):
        return {"square": self.weight} | ({"size": None} if self.watched else {})

    def terms(self, batch):
        self.calls.append(self.training)
        y = self.network(batch["x"])[:, 0]
        return {"square": y**2} | ({"size": tf.abs(y)} if self.watched else {})


def compiled(weight=1.0, rate=0.1, run_eagerly=True, **options):
    model = Slope(line(), weight, **options)
    model.compile(keras.optimizers.SGD(rate), run_eagerly=run_eagerly)
    return model


def train(model, x=X):
    logs = model.fit(x, batch_size=len(x), shuffle=False, verbose=0).history
    return {name: value[0] for name, value in logs.items()}


class TestSteps:
    @pytest.mark.parametrize("run_eagerly", [True, False], ids=["eager", "graph"])
    def test_one_by_hand(self, run_eagerly):
        model = compiled(weight=0.5, run_eagerly=run_eagerly)
        # Half the mean of (2 x)^2, whose slope is the mean of w x^2: 2 * 5.
        assert train(model) == {"loss": 10, "square_loss": 20, "size": 4}
        assert slope(model.network) == pytest.approx(2 - 0.1 * 10)
        assert set(model.calls) == {True}

    def test_evaluation_changes_nothing(self):
        model = compiled(weight=0.5)
        logs = model.evaluate(X, return_dict=True, verbose=0)
        assert logs == {"loss": 10, "square_loss": 20, "size": 4}
        assert slope(model.network) == 2
        assert set(model.calls) == {False}

    def test_weights_follow_their_schedule(self):
        model = compiled(weight=Linear(0.0, 4.0, steps=4), rate=0.0)
        for weight in (0.0, 1.0, 2.0):
            logs = train(model)
            assert (logs["loss"], logs["square_loss"]) == (weight * 20, 20)
        assert model.evaluate(X, return_dict=True, verbose=0)["loss"] == 4 * 20

    def test_what_is_only_reported_changes_no_gradient(self):
        watched, plain = compiled(), compiled(watched=False)
        for _ in range(2):
            logs = train(watched)
            assert train(plain) == {name: logs[name] for name in ("loss", "square_loss")}
        assert slope(watched.network) == slope(plain.network) != 2
        # Not even where it is not finite.
        finite = watched.terms
        watched.terms = lambda batch: finite(batch) | {"size": batch["x"][:, 0] * float("nan")}
        assert np.isnan(train(watched)["size"])
        train(plain)
        assert slope(watched.network) == slope(plain.network)

    @pytest.mark.parametrize(
        "names", [["square"], ["square", "size", "other"], ["square", "length"]]
    )
    def test_unknown_and_missing_terms_are_refused(self, names):
        model = compiled()
        model.terms = lambda batch: {name: batch["x"][:, 0] for name in names}
        sentence = (
            f"Slope.terms returns {sorted(names)}, but loss_weights contains ['size', 'square']: "
            "expected the same names in both."
        )
        for use in (model.fit, model.evaluate):
            with pytest.raises(ValueError) as caught:
                use(X, verbose=0)
            assert str(caught.value) == sentence
        assert slope(model.network) == 2


class TestScores:
    def test_are_the_loss_in_inference_mode(self):
        model = Slope(line(), weight=Linear(0.0, 0.5, steps=4))
        np.testing.assert_allclose(model.score(X), [0.5 * 4, 0.5 * 36])
        assert set(model.calls) == {False}

    def test_the_threshold_is_their_quantile(self):
        model = Slope(line(1.0))
        x = np.arange(101, dtype="float32")[:, None]
        for quantile, root in [(0.0, 0), (0.5, 50), (0.99, 99), (1.0, 100)]:
            assert model.threshold(x, quantile) == pytest.approx(root**2)
        assert model.threshold(x) == model.threshold(x, 0.99)
        assert np.sum(model.score(x) > model.threshold(x, 0.9)) == 10

    @pytest.mark.parametrize("bad", [-0.1, 1.5, float("nan")])
    def test_quantiles_out_of_range_are_refused(self, bad):
        with pytest.raises(ValueError, match=f"quantile is {bad}: expected a number from 0 to 1"):
            Slope(line()).threshold(X, bad)


class Conditional(LikelihoodModel):
    """log p(x | label) of N(w label, 1)."""

    batch = ("x", "labels")
    given = ("labels",)
    default_signature = "score"
    log_prob = log_prob

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.edges |= {"x": Vectors((1,), "numbers"), "labels": Labels(3)}

    def loss_weights(self):
        return {"fit": 1.0}

    def terms(self, batch):
        mean = self.network(tf.cast(batch["labels"], tf.float32)[:, None])
        return {"fit": -Normal().log_prob(mean, batch["x"])}


class TestConditions:
    labels = np.array([0, 2])
    # The means are 0 and 4.
    nats = 0.5 * np.log(2 * np.pi) + np.array([1.0, 1.0]) / 2

    def test_training_passes_on_all_parts_of_the_batch(self):
        model = Conditional(line())
        model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
        logs = model.fit(X, self.labels, shuffle=False, verbose=0).history
        assert logs["loss"] == pytest.approx([self.nats.mean()])
        # The slope of the mean of (3 - 2 w)^2 / 2 and 1 / 2 is 1.
        assert slope(model.network) == pytest.approx(2 - 0.1)
        logs = model.evaluate(X, self.labels, return_dict=True, verbose=0)
        assert logs["loss"] < self.nats.mean()

    def test_scores_and_densities_take_the_condition(self):
        model = Conditional(line())
        np.testing.assert_allclose(model.score(X, labels=self.labels), self.nats, rtol=1e-6)
        np.testing.assert_allclose(model.log_prob(X, self.labels), -self.nats, rtol=1e-6)
        assert model.threshold(X, 0.5, labels=self.labels) == pytest.approx(self.nats[0])
        with pytest.raises(TypeError, match="labels"):
            model.score(X)


class Density(LikelihoodModel):
    """N(0, 1) of points."""

    log_prob = log_prob

    def __init__(self):
        super().__init__()
        self.edges["x"] = Vectors((2,), "points")

    def nats(self, x):
        return -Normal().log_prob(tf.zeros_like(x), x)


def test_log_prob_is_minus_the_score():
    model, x = Density(), np.array([[0.0, 0.0], [3.0, 4.0]])
    expected = -np.log(2 * np.pi) - np.array([0, 12.5])
    np.testing.assert_allclose(model.log_prob(x), expected, rtol=1e-6)
    np.testing.assert_allclose(model.score(x), -expected, rtol=1e-6)
    assert set(model.signatures()) == {"score", "log_prob"}
    assert "log_prob" not in Slope(line()).signatures()


def test_the_seed_of_estimates_stays():
    model, x = Density(), tf.constant([[0.0, 1.0], [2.0, 3.0]])
    seeds = model.score_seeds(x)
    model.step.assign(3)
    model.evaluation_step.assign(3)
    np.testing.assert_array_equal(model.score_seeds(x), seeds)
    np.testing.assert_array_equal(model.score_seeds(x[1:]), seeds[1:])
    assert not np.array_equal(seeds[0], seeds[1])
    assert not np.array_equal(model.score_seeds(x, "other"), seeds)


def test_edges_of_likelihoods():
    assert edge_of(Normal(), [4, 4, 1]) == Images((4, 4, 1), -1.0, 1.0)
    assert edge_of(Bernoulli(), (2,)) == Images((2,), 0.0, 1.0)
    assert edge_of(Categorical(classes=16), (2,)) == Levels((2,), 16)
    assert edge_of(UnboundedNormal(), [2]) == Vectors((2,), "vectors")
    assert edge_of(Poisson(), [2]) == edge_of(Multinomial(), (2,)) == Counts((2,))
