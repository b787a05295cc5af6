"""What `fit` refuses besides data: callbacks of one optimizer, and weights that are not finite."""

import pkgutil
import re

import keras
import numpy as np
import pytest

from all_tiny import TINY
from keras_gen.autoencoders import Autoencoder
from keras_gen.core import NonFiniteLossError
from keras_gen.networks import mlp_decoder, mlp_encoder

OWN_SCHEDULES = "give each optimizer its own schedule (keras_gen.core.schedules)"
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


class TestCallbacks:
    @pytest.mark.parametrize("make,way_out", OF_ONE_OPTIMIZER)
    def test_those_of_one_optimizer_are_refused_where_there_are_two(self, make, way_out, tmp_path):
        model, callback = TINY["GAN"].compiled(), make(tmp_path / "backup")
        with pytest.raises(ValueError) as caught:
            model.fit(np.zeros([4, 8, 8, 1], "uint8"), callbacks=[callback])
        assert str(caught.value) == (
            f"{type(callback).__name__} uses `model.optimizer`, but GAN has d_optimizer and "
            f"g_optimizer: {way_out}."
        )
        for name in re.findall(r"keras_gen[\w.]+\w", way_out):
            assert pkgutil.resolve_name(name)


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
            "rebuild the model."
        )
        np.testing.assert_equal([np.array(v) for v in model.training_variables()], before)
