"""What `fit` refuses, and what it makes of the runtime's errors about our own checks."""

import pkgutil
import re
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from all_tiny import TINY
from keras_gen.autoencoders import Autoencoder
from keras_gen.classifiers import Classifier
from keras_gen.core import GenerativeModel, NonFiniteLossError, minimize, require
from keras_gen.core.checks.fit_errors import plain_errors
from keras_gen.core.kinds_of_data import Vectors
from keras_gen.networks import mlp_decoder, mlp_encoder

ONE = np.ones([2, 1], "float32")
OWN_SCHEDULES = "give the optimizers schedules of their own (keras_gen.core.schedules)"
OF_ONE_OPTIMIZER = [
    (lambda path: keras.callbacks.LearningRateScheduler(lambda epoch: 0.1), OWN_SCHEDULES),
    (lambda path: keras.callbacks.ReduceLROnPlateau("loss"), OWN_SCHEDULES),
    (keras.callbacks.BackupAndRestore, "use keras_gen.core.TrainingState"),
    (lambda path: keras.callbacks.SwapEMAWeights(), "use keras_gen.core.averaged_weights"),
    (
        lambda path: keras.callbacks.TensorBoard(path, write_steps_per_second=True),
        "leave write_steps_per_second out",
    ),
]


class Steep(GenerativeModel):
    """Minimizes w x; once `steep`, with a loss that stays finite and a gradient that does not."""

    def __init__(self):
        super().__init__()
        ones = dict(use_bias=False, kernel_initializer="ones")
        layers = [keras.Input((1,)), keras.layers.Dense(1, **ones)]
        self.network = keras.Sequential(layers, name="slope")
        self.edges["x"] = Vectors((1,))
        self.steep = tf.Variable(0.0)

    @property
    def networks(self):
        return {"network": self.network}

    def train_step(self, data):
        x = self.prepare_batch(data)["x"]

        def slope_loss():
            y = tf.reduce_sum(self.network(x), -1)
            return y + self.steep * tf.sqrt(tf.abs(y - tf.stop_gradient(y)))

        return self.report(loss=minimize(slope_loss, self.optimizer, self.network))


def slope(model):
    return float(model.network.get_weights()[0][0, 0])


class TestCallbacks:
    @pytest.mark.parametrize("make,way_out", OF_ONE_OPTIMIZER)
    def test_those_of_one_optimizer_are_refused_where_there_are_two(self, make, way_out, tmp_path):
        model, callback = TINY["GAN"].build(0), make(tmp_path / "backup")
        with pytest.raises(ValueError) as caught:
            model.fit(np.zeros([4, 8, 8, 1], "uint8"), callbacks=[callback])
        assert str(caught.value) == (
            f"{type(callback).__name__} works on `model.optimizer`, and GAN has d_optimizer and "
            f"g_optimizer: {way_out}."
        )
        for name in re.findall(r"keras_gen[\w.]+\w", way_out):
            assert pkgutil.resolve_name(name)

    def fit(self, callback):
        model = Steep()
        model.compile(optimizer=keras.optimizers.SGD(0.1), run_eagerly=True)
        history = model.fit(ONE, epochs=3, verbose=0, callbacks=[callback]).history
        return slope(model), history["learning_rate"]

    def test_a_scheduler_works_on_one_optimizer(self):
        rates = [0.1, 0.2, 0.05]
        found, seen = self.fit(keras.callbacks.LearningRateScheduler(rates.__getitem__))
        # The gradient is 1.
        assert found == pytest.approx(1 - sum(rates)) and seen == pytest.approx(rates)


class TestNonFiniteWeights:
    def autoencoder(self):
        shape = (2, 2, 1)
        options = dict(latent_dim=3, hidden=(4,), activation="relu")
        encoder = mlp_encoder(shape, **options)
        model = Autoencoder(encoder, mlp_decoder(shape, **options))
        model.compile("adam")
        return model

    @pytest.mark.parametrize("bad", [float("nan"), float("inf")])
    @pytest.mark.parametrize("network", ["encoder", "decoder"])
    def test_are_refused_by_name_also_where_relu_hides_them(self, network, bad):
        model = self.autoencoder()
        weight = getattr(model, network).trainable_variables[0]
        value = weight.numpy()
        value.flat[-1] = bad
        weight.assign(value)
        before = [np.array(v) for v in model.training_variables()]
        with pytest.raises(NonFiniteLossError) as caught:
            model.fit(np.full([2, 2, 2, 1], 255, "uint8"), verbose=0)
        assert str(caught.value) == (
            f"The weight {weight.path} of {network} is not finite: load a good checkpoint, or "
            "build the network anew."
        )
        np.testing.assert_equal([np.array(v) for v in model.training_variables()], before)


class TestPlainErrors:
    @pytest.mark.parametrize("run_eagerly", [True, False], ids=["eager", "graph"])
    def test_a_gradient_that_is_not_finite(self, run_eagerly):
        model = Steep()
        model.compile(optimizer=keras.optimizers.SGD(0.1), run_eagerly=run_eagerly)
        model.fit(ONE, verbose=0)
        model.steep.assign(1.0)
        with pytest.raises(NonFiniteLossError) as caught:
            model.fit(ONE, verbose=0)
        assert str(caught.value) == (
            "slope_loss's gradient was not finite at step 1, and changed no trainable weight. Last "
            "good checkpoint: none. Lower the learning rate, or look for bad values in the data."
        )
        assert slope(model) == pytest.approx(0.9) and model.step.numpy() == 1

    def test_what_moved_before_is_said_where_a_step_has_two_players(self):
        model = TINY["GAN"].compiled()
        sentence = r"^g_loss was not .* no weight that it trains; networks that a step updates ear"
        with pytest.raises(NonFiniteLossError, match=sentence), plain_errors(model, []):
            tf.debugging.check_numerics(float("nan"), "keras_gen: not finite: g_loss")

    def test_the_last_checkpoint_is_named(self):
        callbacks = [
            types.SimpleNamespace(latest=None),
            types.SimpleNamespace(latest="state-7.npz"),
        ]
        with (
            pytest.raises(NonFiniteLossError, match=r"^g_loss was .* checkpoint: state-7\.npz\. "),
            plain_errors(Steep(), callbacks),
        ):
            tf.debugging.check_numerics(float("nan"), "keras_gen: not finite: g_loss")

    @pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])
    def test_bad_input(self, graph):
        def check(value):
            with tf.control_dependencies(
                [require(value < 3, "It is {}, and {} [least].", value, 3)]
            ):
                return tf.identity(value)

        check = tf.function(check) if graph else check
        with (
            pytest.raises(ValueError, match=r"^It is 4, and 3 \[least\]\.$"),
            plain_errors(Steep(), None),
        ):
            check(tf.constant(4))


def test_a_network_that_divides_levels_is_refused_with_the_way_out():
    """It would get images in [0, 1], and divide them once more."""
    images = keras.Input((4, 4, 1))
    x = keras.layers.Rescaling(1 / 255, name="to_unit")(images)
    logits = keras.layers.Dense(3)(keras.layers.Flatten()(x))
    network = keras.Model(images, logits, name="own")
    sentence = r"to_unit, which multiplies by 0\.0039, .* images in \[0, 1\]\. Build it without"
    with pytest.raises(ValueError, match=sentence):
        Classifier(network, keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])).compile()
    without = keras.Model(network.get_layer("to_unit").output, network.outputs)
    model = Classifier(without, keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]))
    model.compile()
    levels = np.full((1, 4, 4, 1), 51, "uint8")
    np.testing.assert_allclose(model.features(levels), network(levels), rtol=1e-5)


class TestSharedLayers:
    def networks(self, shared):
        images, codes = keras.Input((4,)), keras.Input((4,))
        encoder = keras.Model(images, shared(images), name="shrinking")
        decoder = keras.Model(codes, shared(codes), name="growing")
        return encoder, decoder

    def test_two_networks_of_one_layer_are_refused_before_training_and_saving(self):
        model = Autoencoder(*self.networks(keras.layers.Dense(4, name="tied")))
        found = "^The networks encoder and decoder share the layer 'tied', whose weights .* own"
        for use in (model.compile, model.get_config):
            with pytest.raises(ValueError, match=found):
                use()

    def test_a_layer_without_weights_is_nobodys(self, tmp_path):
        model = Autoencoder(*self.networks(keras.layers.Reshape((4,))))
        model.get_config()

    def test_a_layer_may_stand_twice_in_one_network(self, tmp_path):
        codes, tied = keras.Input((4,)), keras.layers.Dense(4)
        decoder = keras.Model(codes, tied(tied(codes)))
        encoder, _ = self.networks(keras.layers.Dense(4))
        model = Autoencoder(encoder, decoder)
        model.compile()
        model.save(tmp_path / "tied.keras")
        x = np.ones([2, 4], "float32")
        found = keras.saving.load_model(tmp_path / "tied.keras").score(x)
        np.testing.assert_array_equal(found, model.score(x))
