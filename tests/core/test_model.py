"""The base of all models: configuration, optimizers, batches, weights of losses, reports."""

import functools
from collections import namedtuple
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gen
from keras_gen.core import GenerativeModel, Player, minimize, require_built, training_step
from keras_gen.core.kinds_of_data import Labels, Vectors
from keras_gen.core.schedules import Linear
from shared import line, slope


@keras.saving.register_keras_serializable("test_model")
class Line(GenerativeModel):
    """Minimizes `factor` times the output."""

    def __init__(self, network, factor=1.0, seed=0, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.network, self.factor = network, factor
        self.edges["x"] = Vectors((1,), "numbers")

    def train_step(self, data):
        x = self.prepare_batch(data)["x"]
        loss = minimize(
            lambda: self.factor * tf.reduce_sum(self.network(x), -1), self.optimizer, self.network
        )
        return self.report(loss=loss)


@keras.saving.register_keras_serializable("test_model")
class HalfLine(Line):
    """Fixes an argument of its parent."""

    def __init__(self, network, **kwargs):
        super().__init__(network, factor=0.5, **kwargs)


@keras.saving.register_keras_serializable("test_model")
class Renamed(Line):
    """An argument had another name."""

    renamed = {"width": "size"}

    def __init__(self, network, size=1, **kwargs):
        super().__init__(network, **kwargs)
        self.size = size


@keras.saving.register_keras_serializable("test_model")
class Committee(GenerativeModel):
    """Minimizes the sum of the outputs of several networks, times that of another."""

    def __init__(self, members, chair, seed=0, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.members, self.chair = members, chair
        self.edges["x"] = Vectors((1,), "numbers")

    def train_step(self, data):
        x = self.prepare_batch(data)["x"]

        def votes():
            return tf.reduce_sum(self.chair(x) * tf.add_n([m(x) for m in self.members]), -1)

        return self.report(loss=minimize(votes, self.optimizer, *self.networks_of("optimizer")))


ONE = np.ones([2, 1], "float32")


def reported(model, terms=None, **losses):
    """What a step of training gives that reports these."""
    with training_step(model):
        return model.counted(model.report(terms, **losses))


def trained(model, rate=0.1):
    model.compile(optimizer=keras.optimizers.SGD(rate, momentum=0.5))
    model.train_step(tf.constant(ONE))
    return model


class TestConfiguration:
    def test_an_argument_that_a_subclass_fixes_is_none_of_its_own(self, tmp_path):
        model = trained(HalfLine(line(), seed=7, name="half"))
        assert model.arguments() == ["network", "seed"]
        config = model.get_config()
        assert config.keys() == {"network", "seed", "name"}
        for _ in range(2):  # Reading a configuration must not empty it.
            copy = HalfLine.from_config(config)
            assert (copy.seed, copy.name, copy.factor) == (7, "half", 0.5)
        model.save(tmp_path / "half.keras")
        loaded = keras.saving.load_model(tmp_path / "half.keras")
        assert type(loaded) is HalfLine
        assert (loaded.seed, loaded.factor, slope(loaded.network)) == (7, 0.5, slope(model.network))
        for each in (model, loaded):  # It trains on, with its momentum.
            each.train_step(tf.constant(ONE))
        assert slope(model.network) == slope(loaded.network) == pytest.approx(2 - 0.05 * 2.5)

    @pytest.mark.parametrize(
        "args,kwargs", [((3.0, 5), {}), ((3.0,), {"seed": 5}), ((), {"seed": 5, "factor": 3.0})]
    )
    def test_arguments_are_kept_however_they_are_given(self, args, kwargs):
        model = Line(line(), *args, **kwargs)
        assert model.arguments() == ["network", "factor", "seed"]
        copy = Line.from_config(model.get_config())
        assert (copy.factor, copy.seed) == (3.0, 5)

    def test_arguments_of_earlier_versions_are_read_under_their_new_names(self):
        config = Renamed(line(), size=3).get_config()
        config["width"] = config.pop("size")
        assert Renamed.from_config(config).size == 3

    def test_a_list_of_networks_is_trained_listed_and_saved(self, tmp_path):
        model = Committee([line(1.0), line(2.0), line(3.0)], line(1.0), name="committee")
        assert list(model.networks) == ["members_0", "members_1", "members_2", "chair"]
        assert [slope(n) for n in model.players()["optimizer"].networks] == [1, 2, 3, 1]
        trained(model)
        found = [slope(n) for n in model.networks.values()]
        # The gradient of each member is the chair's weight, and of the chair their sum.
        np.testing.assert_allclose(found, [0.9, 1.9, 2.9, 0.4], rtol=1e-6)
        model.save(tmp_path / "committee.keras")
        loaded = keras.saving.load_model(tmp_path / "committee.keras")
        assert list(loaded.networks) == list(model.networks)
        assert [slope(n) for n in loaded.networks.values()] == found
        assert [float(m.numpy()[0, 0]) for m in loaded.optimizer.momentums] == pytest.approx(
            [-0.1, -0.1, -0.1, -0.6]
        )

    @pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
    def test_the_model_is_float32_whatever_its_networks_are(self, policy):
        keras.config.set_dtype_policy(policy)
        model = Line(line())
        copy = Line.from_config(model.get_config())
        for each in (model, copy):
            assert each.compute_dtype == each.variable_dtype == "float32"
            assert policy.removeprefix("mixed_") == each.network.layers[-1].compute_dtype


class Rivals(GenerativeModel):
    """Two players, one with an optimizer of its own by default."""

    def __init__(self, a, b):
        super().__init__()
        self.a, self.b = a, b

    def players(self):
        slow = functools.partial(keras.optimizers.SGD, 0.125)
        return {"a_optimizer": Player([self.a]), "b_optimizer": Player([self.b], slow)}


class TestPlayers:
    def test_optimizers_left_out_are_those_by_default(self):
        model = Rivals(line(), line())
        model.compile(a_optimizer="sgd")
        assert isinstance(model.a_optimizer, keras.optimizers.SGD)
        assert float(model.b_optimizer.learning_rate) == 0.125
        model.compile(b_optimizer=keras.optimizers.RMSprop())
        assert isinstance(model.a_optimizer, keras.optimizers.Adam)
        assert isinstance(model.b_optimizer, keras.optimizers.RMSprop)
        assert model.networks_of("a_optimizer") == [model.a]
        assert model.b_optimizer.iterations.numpy() == 0

    def test_a_loss_has_a_way_out(self):
        for argument, reason in {
            "loss": "the model defines its own losses",
            "loss_weights": "the weights of the losses are arguments of the class",
            "metrics": "fit and evaluate report the losses, and functions in keras_gen.metrics",
            "weighted_metrics": "fit and evaluate report the losses",
        }.items():
            with pytest.raises(
                ValueError, match=f"got '{argument}'. Leave it out, because {reason}"
            ):
                Line(line()).compile(optimizer="sgd", **{argument: ["mse"]})

    @pytest.mark.parametrize(
        "options", [{"optimizer": "none"}, {"optimizer": "sgd", "loss": "mse"}, {"d_optimizer": 1}]
    )
    def test_a_refused_compile_leaves_the_model_compiled(self, options):
        model = Line(line())
        model.compile(optimizer="sgd", run_eagerly=True)
        before = model.optimizer
        with pytest.raises(ValueError):
            model.compile(**options)
        assert model.optimizer is before and model.run_eagerly
        model.fit(np.ones((2, 1), "float32"), verbose=0)
        assert before.iterations.numpy() == 1

    def test_what_is_no_network_is_refused(self):
        for wrong, found in ((3, "3"), ("vgg", "'vgg'"), (None, "None")):
            with pytest.raises(TypeError, match=f"A network is {found}: expected a built keras"):
                require_built(line(), wrong)

    def test_channels_first_are_refused(self):
        network = line()
        keras.config.set_image_data_format("channels_first")
        try:
            with pytest.raises(ValueError, match="'channels_first': expected 'chan"):
                Line(network)
        finally:
            keras.config.set_image_data_format("channels_last")

    def test_a_network_that_starts_frozen_stays(self):
        frozen = line(2.0)
        frozen.trainable = False
        model = trained(Committee([line(1.0), frozen], line(1.0)))
        found = [slope(n) for n in model.networks.values()]
        np.testing.assert_allclose(found, [0.9, 2.0, 0.7], rtol=1e-6)
        assert len(model.optimizer.momentums) == 2

    @pytest.mark.parametrize("freeze,what", [(True, "frozen"), (False, "made trainable")])
    def test_what_is_frozen_after_compile_is_refused(self, freeze, what):
        """Else it would train on, and a layer that is let go would be unknown to the optimizer."""
        model = Line(line())
        model.network.trainable = freeze
        model.compile(optimizer="sgd", run_eagerly=True)
        model.network.trainable = not freeze
        with pytest.raises(
            ValueError, match=f"kernel was {what} after compile.*and then call compile"
        ):
            model.fit(np.ones((2, 1), "float32"), verbose=0)
        model.network.trainable = True
        model.compile(optimizer="sgd", run_eagerly=True)
        model.fit(np.ones((2, 1), "float32"), verbose=0)
        assert slope(model.network) < 2


class Parts(GenerativeModel):
    """Keeps what is made of a batch."""

    def __init__(self, *batch):
        super().__init__()
        self.batch = batch
        self.edges["x"] = Vectors((1,), "numbers")
        self.edges["labels"] = Labels(3)
        self.edges["weights"] = Vectors((), "weights")


class TestBatches:
    LABELS = np.array([0, 2])
    WEIGHTS = np.array([0.5, 1.0], "float32")

    @pytest.mark.parametrize(
        "batch,data",
        [
            (("x",), ONE),
            (("x",), (ONE, LABELS)),  # Labels are left aside.
            (("x",), (ONE, None, None)),
            (("x", "labels"), (ONE, LABELS, None)),
            (("labels", "x"), (LABELS, ONE)),
            (("x", "labels", "weights"), (ONE, (None, (LABELS, WEIGHTS)))),
        ],
    )
    def test_parts_are_named_in_order(self, batch, data):
        found = Parts(*batch).prepare_batch(data)
        expected = {"x": ONE, "labels": self.LABELS, "weights": self.WEIGHTS}
        assert list(found) == list(batch)
        for name, value in found.items():
            np.testing.assert_array_equal(value, expected[name])

    @pytest.mark.parametrize(
        "batch,data,count",
        [
            (("x",), (), 0),
            (("x",), (ONE, LABELS, WEIGHTS), 3),
            (("x", "labels"), (ONE, None), 1),
            (("x", "labels", "weights"), ((ONE, LABELS), (WEIGHTS, WEIGHTS)), 4),
        ],
    )
    def test_too_few_and_too_many_are_refused(self, batch, data, count):
        model = Parts(*batch)
        named = ", ".join(f"{n} ({model.edges[n].name})" for n in batch)
        with pytest.raises(ValueError) as caught:
            model.prepare_batch(data)
        assert str(caught.value) == (
            f"Parts trains on {named}, but got {count} arrays in a batch: expected "
            f"{len(batch)}. Leave out sample weights, and stack a list of examples into one array."
        )

    def test_training_may_take_another_edge(self):
        model = Parts("x", "labels")
        model.training_edges["labels"] = Labels(3, unknown=True)
        found = model.prepare_batch((ONE, np.array([-1, 2])))
        np.testing.assert_array_equal(found["labels"], [-1, 2])
        with pytest.raises(ValueError, match="Labels range from -1"):
            model.edges["labels"].prepare([-1])


RISING = Linear(0.0, 4.0, steps=4)


class Terms(GenerativeModel):
    def loss_weights(self):
        return {"fit": 2.0, "prior": RISING, "scaled": (RISING, 5.0), "watched": None}


class TestWeights:
    TERMS = {
        "fit": tf.constant([1.0, 10.0]),
        "prior": tf.constant([2.0, 3.0]),
        "scaled": tf.constant([0.0, 1.0]),
        "watched": tf.constant([float("nan")] * 2),
        "unnamed": tf.constant([0.5, 0.25]),
    }

    @pytest.mark.parametrize("step,weight", [(0, 0.0), (1, 1.0), (3, 3.0), (9, 4.0)])
    def test_a_schedule_has_the_value_of_the_step(self, step, weight):
        model = Terms()
        model.step.assign(step)
        with training_step(model):
            total = model.weighted(self.TERMS)
        np.testing.assert_allclose(
            total, [2.0 + weight * 2.0 + 0.5, 20.0 + weight * 3.0 + weight * 5.0 + 0.25]
        )

    def test_evaluation_takes_its_final_value(self):
        np.testing.assert_allclose(Terms().weighted(self.TERMS), [2 + 8 + 0.5, 20 + 12 + 20 + 0.25])

    def test_names(self):
        model = Terms()
        assert model.loss_names == ("loss", "fit_loss", "prior_loss", "scaled_loss", "watched")
        model.players = lambda: {}
        model.compile()
        logs = reported(model, self.TERMS, loss=tf.constant([1.0]))
        assert set(logs) == set(model.loss_names)
        assert float(logs["prior_loss"]) == 2.5 and np.isnan(logs["watched"])
        with pytest.raises(ValueError, match=r"contains 'fit', which is not a term .* \['prior'"):
            model.report({"prior": tf.constant([1.0])}, loss=tf.constant([1.0]))

    def test_terms_of_other_precision_are_summed_in_float32(self):
        terms = {"fit": tf.constant([1.0], "bfloat16"), "unnamed": tf.constant([1e-3], "float32")}
        total = Terms().weighted(terms)
        assert total.dtype == tf.float32
        np.testing.assert_allclose(total, [2.001])

    def test_without_weights_there_is_one_loss(self):
        assert GenerativeModel().loss_names == ("loss",)


class TestReport:
    def test_means_count_every_example_once(self):
        model = Line(line())
        model.compile(optimizer="sgd")
        reported(model, loss=tf.constant([1.0, 2.0, 3.0]))
        assert float(reported(model, loss=tf.constant([8.0]))["loss"]) == 3.5
        assert model.step.numpy() == 2 and model.evaluation_step.numpy() == 0

    def test_evaluation_counts_apart_and_starts_anew(self):
        model = Line(line())
        model.compile(optimizer="sgd")
        for _ in range(2):
            model.counted(model.report(loss=tf.constant([4.0])))
        assert model.step.numpy() == 0 and model.evaluation_step.numpy() == 2
        model.reset_metrics()
        assert model.evaluation_step.numpy() == 0
        assert float(reported(model, loss=tf.constant([1.0]))["loss"]) == 1

    def test_noise_follows_seed_step_use_and_kind_of_step(self):
        model, other = Line(line(), seed=1), Line(line(), seed=2)
        draw = {"evaluation": model.normal("a", [2])}
        with training_step(other):
            draw["seed"] = other.normal("a", [2])
        with training_step(model):
            draw |= {"first": model.normal("a", [2]), "use": model.normal("b", [2])}
            np.testing.assert_array_equal(model.normal("a", [2]), draw["first"])
            model.step.assign(1)
            draw["step"] = model.normal("a", [2])
        np.testing.assert_array_equal(model.normal("a", [2]), draw["evaluation"])
        model.evaluation_step.assign(1)
        draw["evaluation step"] = model.normal("a", [2])
        assert len({tuple(value.numpy()) for value in draw.values()}) == len(draw)

    @pytest.mark.parametrize("run_eagerly", [True, False], ids=["eager", "graph"])
    def test_noise_has_the_shape_of_a_tensor(self, run_eagerly):
        class Noisy(Line):
            def train_step(self, data):
                x = self.prepare_batch(data)["x"]

                def loss():
                    return tf.reduce_sum(self.network(self.normal("x", tf.shape(x))), -1)

                return self.report(loss=minimize(loss, self.optimizer, self.network))

        model = Noisy(line())
        model.compile("sgd", run_eagerly=run_eagerly)
        with training_step(model):
            noise = model.normal("x", [3, 1])
        logs = model.fit(np.ones([3, 1], "float32"), verbose=0).history
        assert logs["loss"] == pytest.approx([2 * float(tf.reduce_mean(noise))], rel=1e-5)


class Dry(Line):
    """A line whose step is written as steps are."""

    def train_step(self, data):
        x = self.prepare_batch(data)["x"]
        return self.report(loss=self.minimize(lambda: tf.reduce_sum(self.network(x), -1)))


class Applies(Line):
    """A line whose step moves by a gradient of 1, without `minimize`."""

    def train_step(self, data):
        self.optimizer.apply([tf.ones([1, 1])], self.network.trainable_variables)
        return self.report(loss=tf.zeros([2]))


class TestSteps:
    """Whatever a class writes as its step is one."""

    def test_a_step_of_another_base_trains(self):
        class Mixin:
            def train_step(self, data):
                return super().train_step(data)

        class Mixed(Mixin, Line):
            pass

        model = trained(Mixed(line()))
        assert slope(model.network) != 2 and model.step.numpy() == 1

    def test_one_that_was_assigned_later_says_so(self):
        class Patched(Line):
            def later(self, data):
                return self.report(loss=self.minimize(lambda: self.network(data)))

        Patched.train_step = Patched.later
        with pytest.raises(
            RuntimeError, match="outside a training or evaluation step of this model"
        ):
            trained(Patched(line()))

    @pytest.mark.thorough
    def test_evaluation_of_a_compiled_step_moves_nothing(self):
        model = trained(Dry(line()))
        model.train_step = tf.function(model.train_step)
        model.train_step(tf.constant(ONE))
        before = slope(model.network)
        model.test_step(tf.constant(ONE))
        assert slope(model.network) == before and model.step.numpy() == 2

    def test_one_in_the_public_context_counts(self):
        model = trained(Dry(line()))
        with training_step(model):
            model.train_step(tf.constant(ONE))
            assert model.step.numpy() == 2
            model.test_step(tf.constant(ONE))
            assert model.training
        assert model.step.numpy() == 2 and model.evaluation_step.numpy() == 1

    def test_a_metric_of_ones_own_sees_every_batch_of_evaluate(self):
        class Measured(Dry):
            def __init__(self, network, **kwargs):
                super().__init__(network, **kwargs)
                self.largest = keras.metrics.Mean(name="largest")

            def train_step(self, data):
                losses = super().train_step(data)
                self.largest.update_state(tf.reduce_max(data))
                return losses | {"largest": self.largest.result()}

        model = Measured(line())
        model.compile(keras.optimizers.SGD(0.1))
        data = np.float32([[1], [2], [3], [6]])
        for _ in range(2):  # it starts anew
            logs = model.evaluate(data, batch_size=2, return_dict=True, verbose=0)
            assert logs["largest"] == 4 and logs["loss"] == 6
        logs = model.fit(data, batch_size=4, verbose=0, validation_data=(data, None)).history
        assert logs["largest"] == [6] and logs["val_largest"] == [6]

    @pytest.mark.parametrize("run_eagerly", [True, False], ids=["eager", "graph"])
    @pytest.mark.parametrize("cls", [Line, Applies])
    def test_evaluation_refuses_what_would_train(self, cls, run_eagerly):
        """Steps that call `core.minimize`, or the optimizer, by themselves."""
        model = cls(line())
        model.compile(keras.optimizers.SGD(0.1), run_eagerly=run_eagerly)
        with pytest.raises(RuntimeError, match="would update weights in evaluate"):
            model.evaluate(ONE, verbose=0)
        assert model.evaluation_step.numpy() == 0 and slope(model.network) == 2
        model.fit(ONE, verbose=0)
        assert slope(model.network) == pytest.approx(1.9)


@pytest.mark.parametrize(
    "value,error,found",
    [
        (-5.0, ValueError, "^beta is -5"),
        (None, TypeError, "^beta is None: expected a value"),
        ("a", ValueError, "^beta is 'a'"),
        (float("nan"), ValueError, "^beta is nan"),
    ],
)
def test_arguments_are_checked_when_they_are_assigned(value, error, found):
    model = keras_gen.VAE.for_vectors(2, hidden=(4,))
    with pytest.raises(error, match=found):
        model.beta = value
    assert model.beta == 1.0
    model.beta = schedule = Linear(0.0, 1.0, 2)
    assert model.beta is schedule


class TestFiles:
    @pytest.mark.parametrize("name", ["model.h5", "model", "model.hdf5", "model.tf"])
    def test_have_one_format(self, tmp_path, name):
        sentence = rf"^filepath is '.*{name}': expected a name that ends in \.keras, or"
        with pytest.raises(ValueError, match=sentence):
            Line(line()).save(tmp_path / name)
        assert not list(tmp_path.iterdir())
        Line(line()).save(tmp_path / "model.keras", overwrite=True)
        assert (tmp_path / "model.keras").exists()

    @pytest.mark.parametrize("name", ["model.keras", "model.weights.h5"])
    def test_survive_a_full_disk(self, tmp_path, monkeypatch, name):
        model, path = keras_gen.VAE.for_vectors(2, hidden=(64, 64)), tmp_path / name
        model.compile()
        model.fit(np.eye(2), verbose=0)  # the file also contains the moments of the optimizer
        save = model.save if name == "model.keras" else model.save_weights
        save(path)
        before = path.read_bytes()
        free = namedtuple("usage", "free")(len(before) - 1)
        monkeypatch.setattr("keras_gen.files.writing.shutil.disk_usage", lambda path: free)
        with pytest.raises(OSError, match=rf"^\[Errno 28\] Cannot write {path} .*free some space"):
            save(path)
        assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]

    def test_a_failed_save_keeps_the_earlier_file(self, tmp_path, monkeypatch):
        model, path = Line(line()), tmp_path / "model.keras"
        model.save(path)
        before = path.read_bytes()

        def fails(self, filepath):
            Path(filepath).write_bytes(b"half")
            raise OSError(27, "File too large")

        monkeypatch.setattr(keras.Model, "save", fails)
        with pytest.raises(OSError, match=r"File too large.*Any existing file at this path is un"):
            model.save(path)
        assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]

    def test_exports_are_saved_models(self, tmp_path):
        with pytest.raises(ValueError, match=r"^format is 'onnx': expected 'tf_saved_model'"):
            Line(line()).export(tmp_path / "model", format="onnx")
        assert not list(tmp_path.iterdir())


def test_missing_networks_are_named_with_who_builds_them():
    sentence = r"^ADDA lacks classifier, discriminator, source_encoder: add classifier=\.\.\. to"
    with pytest.raises(TypeError, match=sentence):
        keras_gen.ADDA(keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]))
    # Its own builder, not those that it inherits and that cannot build it.
    with pytest.raises(TypeError, match=r"standard networks, call MoCoGAN\.for_videos\.$"):
        keras_gen.MoCoGAN()
