"""Layers that `compile` refuses, and those that it allows."""

import keras
import numpy as np
import pytest

from keras_gen.autoencoders import Autoencoder
from keras_gen.classifiers import Classifier
from keras_gen.networks import sr_discriminator, sr_resnet
from keras_gen.translation import SRGAN


def test_a_network_that_divides_levels_is_refused_with_the_way_out():
    """It would get images in [0, 1], and divide them once more."""
    images = keras.Input((4, 4, 1))
    x = keras.layers.Rescaling(1 / 255, name="to_unit")(images)
    logits = keras.layers.Dense(3)(keras.layers.Flatten()(x))
    network = keras.Model(images, logits, name="own")
    sentence = r"to_unit, which multiplies levels .* by 0\.0039: .* images in \[0, 1\], .*\. Build"
    with pytest.raises(ValueError, match=sentence):
        Classifier(network, keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])).compile()
    without = keras.Model(network.get_layer("to_unit").output, network.outputs)
    model = Classifier(without, keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]))
    model.compile()
    levels = np.full((1, 4, 4, 1), 51, "uint8")
    np.testing.assert_allclose(model.features(levels), network(levels), rtol=1e-5)


def test_the_only_optimizer_needs_no_name():
    model = SRGAN(sr_resnet(1, filters=2, blocks=0, factor=2))
    for given in ("adam", keras.optimizers.Adam(0.002)):
        model.compile(given)
        assert isinstance(model.g_optimizer, keras.optimizers.Adam)
    assert model.g_optimizer is given
    with pytest.raises(
        ValueError, match=r"accepts the optimizers \['g_optimizer'\], but got 'opti"
    ):
        model.compile("adam", g_optimizer="sgd")
    both = SRGAN(model.generator, sr_discriminator((8, 8, 1), 2, 2))
    with pytest.raises(ValueError, match=r"\['d_optimizer', 'g_optimizer'\], but got 'optimizer'"):
        both.compile("adam")


@pytest.mark.parametrize("scaled", [False, True])
def test_an_optimizer_of_another_model_is_refused(scaled):
    adam = keras.optimizers.Adam()
    given = keras.optimizers.LossScaleOptimizer(adam) if scaled else adam
    model, other = (SRGAN(sr_resnet(1, filters=2, blocks=0, factor=2)) for _ in range(2))
    model.compile(given)
    model.compile(given)
    for each in (given, adam):
        with pytest.raises(ValueError, match="g_optimizer was built for the weights of other n"):
            other.compile(each)


class TestSharedLayers:
    def networks(self, shared):
        images, codes = keras.Input((4,)), keras.Input((4,))
        encoder = keras.Model(images, shared(images), name="shrinking")
        decoder = keras.Model(codes, shared(codes), name="growing")
        return encoder, decoder

    def test_two_networks_of_one_layer_are_refused_before_training_and_saving(self):
        model = Autoencoder(*self.networks(keras.layers.Dense(4, name="tied")))
        found = "^The networks encoder and decoder share the layer 'tied', but a file .* own"
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
