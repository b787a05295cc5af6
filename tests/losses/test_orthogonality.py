import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.gan import GAN
from keras_gen.layers import SpectralNormalization
from keras_gen.losses import orthogonality


def network(*layers):
    return keras.Sequential([keras.Input((4, 4, 3)), *layers])


def overlaps(filters):
    """|W^T W * (1 - I)|_F^2 of columns."""
    products = filters.T @ filters
    return np.sum(products[~np.eye(len(products), dtype=bool)] ** 2)


def test_is_the_overlap_of_the_filters_of_all_kernels(rng):
    layers = keras.layers.Conv2D(5, 2), keras.layers.Conv2DTranspose(6, 2), keras.layers.Dense(7)
    found = network(*layers, keras.layers.BatchNormalization())
    for layer in layers:
        layer.kernel.assign(rng.normal(size=layer.kernel.shape))
        layer.bias.assign(rng.normal(size=layer.bias.shape))
    convolution, transposed, dense = (layer.kernel.numpy() for layer in layers)
    expected = overlaps(convolution.reshape(-1, 5)) + overlaps(dense)
    expected += overlaps(np.swapaxes(transposed, 2, 3).reshape(-1, 6))
    assert float(orthogonality(found)) == pytest.approx(expected, rel=1e-5)
    layers[0].trainable = False
    expected -= overlaps(convolution.reshape(-1, 5))
    assert float(orthogonality(found)) == pytest.approx(expected, rel=1e-5)


def test_orthogonal_filters_of_any_norm_are_free(rng):
    layer = keras.layers.Dense(3, use_bias=False)
    found = network(layer)
    filters, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    layer.kernel.assign(filters * [1, 5, 0.1])
    assert float(orthogonality(found)) == pytest.approx(0, abs=1e-9)
    assert float(orthogonality(network(keras.layers.Flatten()))) == 0


def test_a_wrapped_layer_counts_once(rng):
    layer = keras.layers.Conv2D(5, 2)
    expected = float(orthogonality(network(layer)))
    wrapped = network(SpectralNormalization(layer))
    assert float(orthogonality(wrapped)) == pytest.approx(expected) and expected > 0


class OrthogonalGAN(GAN):
    """Any model takes it as one more term."""

    def loss_weights(self):
        return super().loss_weights() | {"orthogonality": 0.5}

    def generator_terms(self, batch, training):
        terms = super().generator_terms(batch, training)
        return terms | {"orthogonality": orthogonality(self.generator)}


def test_it_trains_as_a_term_of_any_loss(rng):
    kernel = rng.normal(size=(2, 3)).astype("float32")
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, use_bias=False)])
    critic = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False)])
    generator.set_weights([kernel])
    critic.set_weights([np.zeros((3, 1))])  # so that nothing else moves the generator
    model = OrthogonalGAN(generator, critic)
    sgd = keras.optimizers.SGD
    model.compile(d_optimizer=sgd(0.0), g_optimizer=sgd(0.1))
    logs = model.train_step(tf.zeros([4, 3]))
    assert float(logs["orthogonality_loss"]) == pytest.approx(overlaps(kernel), rel=1e-5)
    products = kernel.T @ kernel
    np.fill_diagonal(products, 0)
    # The gradient of the squares is 4 W (W^T W * (1 - I)).
    expected = kernel - 0.1 * 0.5 * 4 * kernel @ products
    np.testing.assert_allclose(generator.get_weights()[0], expected, rtol=1e-4, atol=1e-5)
