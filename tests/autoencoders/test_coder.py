"""Models with an encoder and a decoder, on networks whose outputs are known by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.autoencoders.coder import EncoderDecoder, decoder_edges
from keras_gen.autoencoders.integer_codes import edge_of_codes
from keras_gen.core.kinds_of_data import Images, Levels, Vectors
from keras_gen.declared import Named, made_by, network
from keras_gen.losses import Bernoulli, Categorical, Normal, likelihoods
from keras_gen.losses.likelihoods import Likelihood


def linear(shape, *factors, name="network"):
    """A model from examples to them times each factor."""
    inputs = keras.Input(shape)
    outputs = [keras.layers.Rescaling(factor)(inputs) for factor in factors]
    return keras.Model(inputs, outputs if len(outputs) > 1 else outputs[0], name=name)


class Codes(EncoderDecoder):
    likelihood: Named[Likelihood] = made_by(likelihoods.get, default="normal")


class Posterior(Codes):
    code_names = ("mean", "log_variance")
    encoder: keras.Model = network("x -> codes codes")


class Seeing(Codes):
    decoder: keras.Model = network("codes x -> parameters")


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (5, 2, 2, 1), "uint8")


def inner(images):
    """Images as networks of a normal likelihood take them."""
    return images / np.float32(127.5) - 1


def halving():
    """Codes are half the image, and the decoder doubles them."""
    return Codes(linear((2, 2, 1), 0.5), linear((2, 2, 1), 2.0))


class TestUse:
    def test_codes(self, images):
        codes = halving().encode(images, batch_size=2)
        assert codes.dtype == np.float32
        np.testing.assert_allclose(codes, inner(images) / 2, atol=1e-6)

    def test_several_codes_are_a_tuple_by_name(self, images):
        model = Posterior(linear((2, 2, 1), 0.5, -1.0), linear((2, 2, 1), 2.0))
        mean, log_variance = model.encode(images)
        np.testing.assert_allclose(mean, inner(images) / 2, atol=1e-6)
        np.testing.assert_allclose(log_variance, -inner(images), atol=1e-6)
        function, _ = model.signatures()["encode"]
        assert list(function(tf.constant(images))) == ["mean", "log_variance"]
        # The decoder takes the first.
        np.testing.assert_array_equal(model.reconstruct(images), images)

    def test_codes_are_float32_also_of_half_precision(self, images):
        keras.config.set_dtype_policy("float16")
        (codes,) = halving().encoded(inner(images))
        assert codes.dtype == tf.float32
        np.testing.assert_allclose(codes, inner(images) / 2, atol=1e-3)

    def test_what_is_encoded_is_decoded(self, images):
        model = halving()
        np.testing.assert_array_equal(model.reconstruct(images, batch_size=3), images)
        np.testing.assert_array_equal(model.decode(model.encode(images)), images)
        floats = inner(images)
        np.testing.assert_allclose(model.reconstruct(floats), floats, atol=1e-6)
        np.testing.assert_allclose(model(floats), floats, atol=1e-6)

    def test_reconstructions_are_means_of_the_likelihood(self, images):
        model = Codes(linear((2, 2, 1), 1.0), linear((2, 2, 1), 3.0), "bernoulli")
        probabilities = 1 / (1 + np.exp(-3.0 * images / 255))
        np.testing.assert_allclose(model.reconstruct(images / 255.0), probabilities, rtol=1e-5)
        np.testing.assert_allclose(model.decode(images / 255.0), 255 * probabilities, atol=0.501)

    def test_signatures(self):
        signatures = halving().signatures()
        assert {name: [s.name for s in specs] for name, (_, specs) in signatures.items()} == {
            "reconstruct": ["images"],
            "encode": ["images"],
            "decode": ["latents"],
            "score": ["images"],
        }
        assert EncoderDecoder.default_signature == "reconstruct"


class TestInterpolation:
    def test_codes_lie_on_a_line(self, images):
        a, b = inner(images[:2]), inner(images[2:4])
        line = halving().interpolate(a, b, steps=4)
        assert line.shape == (2, 4, 2, 2, 1) and line.dtype == np.uint8
        for step, fraction in enumerate([0, 1 / 3, 2 / 3, 1]):
            expected = 127.5 * ((1 - fraction) * a + fraction * b + 1)
            np.testing.assert_allclose(line[:, step], expected, atol=0.51)

    def test_its_ends_are_reconstructions(self, images):
        model = Posterior(linear((2, 2, 1), 0.25, 0.0), linear((2, 2, 1), 2.0))
        line = model.interpolate(images[:2], images[2:4], steps=2)
        for end, examples in enumerate((images[:2], images[2:4])):
            np.testing.assert_array_equal(line[:, end], model.reconstruct(examples))
        assert model.interpolate(images[:1], images[1:2]).shape[1] == 8


class TestReconstruction:
    def test_of_one_latent_an_example(self, images):
        model, x = halving(), tf.constant(inner(images))
        found = model.reconstruction(x / 4, x)
        # The mean is half of x: log N(x; x / 2, 1), summed over the image.
        expected = np.sum(inner(images) ** 2 / 8 + 0.5 * np.log(2 * np.pi), axis=(1, 2, 3))
        np.testing.assert_allclose(found, expected, rtol=1e-5)

    @pytest.mark.parametrize("front", [(3,), (2, 3)])
    def test_of_several_latents_equals_one_at_a_time(self, images, rng, front):
        model, x = halving(), tf.constant(inner(images))
        latents = rng.normal(size=(*front, 5, 2, 2, 1)).astype("float32")
        found = model.reconstruction(latents, x)
        assert found.shape == (*front, 5)
        for index in np.ndindex(*front):
            one = model.reconstruction(latents[index], x)
            np.testing.assert_allclose(found[index], one, rtol=1e-6)

    def test_in_a_graph_of_any_number_of_examples(self, images):
        model = halving()

        def twice(z, x):
            return model.reconstruction(tf.stack([z, z]), x)

        graph = tf.function(twice, input_signature=[tf.TensorSpec([None, 2, 2, 1])] * 2)
        x = inner(images)
        once = model.reconstruction(x, x)
        np.testing.assert_allclose(graph(x, x), [once, once], rtol=1e-6)

    @pytest.mark.parametrize("front", [(), (3,)])
    def test_of_a_decoder_that_sees_the_example(self, images, rng, front):
        """As an autoregressive decoder does: Gulrajani et al.: "PixelVAE", ICLR 2017."""
        z, x = keras.Input((2, 2, 1)), keras.Input((2, 2, 1))
        decoder = keras.Model([z, x], keras.layers.Add()([2 * z, x / 2]))
        model = Seeing(linear((2, 2, 1), 0.5), decoder)
        examples = inner(images)
        latents = rng.normal(size=(*front, 5, 2, 2, 1)).astype("float32")
        found = model.reconstruction(latents, examples, examples)
        error = examples - (2 * latents + examples / 2)
        expected = np.sum(error**2 / 2 + 0.5 * np.log(2 * np.pi), axis=(-3, -2, -1))
        assert found.shape == (*front, 5)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


class TestNetworks:
    @pytest.mark.parametrize(
        "likelihood,channels,edge",
        [
            (Normal(), 1, Images((2, 2, 1), -1.0, 1.0)),
            (Bernoulli(), 1, Images((2, 2, 1), 0.0, 1.0)),
            (Categorical(classes=4), 4, Levels((2, 2, 1), 4)),
        ],
    )
    def test_the_likelihood_decides_what_examples_are(self, likelihood, channels, edge):
        decoder = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Dense(channels)])
        model = Codes(linear((2, 2, 1), 1.0), decoder, likelihood)
        assert model.edges["x"] == edge
        assert model.edges["latents"] == Vectors((2, 2, 1))
        examples = np.full([3, 2, 2, 1], 3, edge.spec().dtype.as_numpy_dtype)
        assert model.reconstruct(examples).shape == (3, 2, 2, 1)


def test_codes_of_one_value_are_refused():
    with pytest.raises(ValueError, match=r"^levels is 1: expected at least 2"):
        edge_of_codes((2,), 1)


def test_a_decoder_alone_says_what_its_data_are():
    decoder = linear((2, 2, 6), 1.0)
    shapes = {Normal(): 6, Normal(scale=None): 3, Categorical(classes=3): 2}
    for likelihood, channels in shapes.items():
        edges = decoder_edges(decoder, likelihood)
        assert edges["x"].shape == (2, 2, channels)
        assert edges["latents"] == Vectors((2, 2, 6))
    message = r"shape \(2, 2, 6\): expected a last axis whose size is a multiple of 4"
    with pytest.raises(ValueError, match=message):
        decoder_edges(decoder, Categorical(classes=4))
