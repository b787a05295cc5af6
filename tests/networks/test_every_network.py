"""All networks compute in mixed precision inside, return float32, and pass gradients."""

import functools
import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import networks, testing

TINY = {
    "big_gan_generator": dict(image_shape=(8, 8, 1), classes=3, latent_dim=4, filters=2),
    "big_gan_discriminator": dict(image_shape=(16, 16, 1), classes=3, filters=2),
    "biva_networks": dict(image_shape=(4, 4, 1), latent_dims=(2, 1), units=3),
    "conditional_vae_networks": dict(
        shape=(2, 2, 1), conditions=(2, 2, 1), latent_dim=2, hidden=(3,)
    ),
    "context_decoder": dict(image_shape=(8, 8, 3), filters=2),
    "context_encoder": dict(image_shape=(8, 8, 3), filters=2),
    "conv_biva_networks": dict(image_shape=(4, 4, 1), latent_dims=(2, 1), filters=3),
    "conv_decoder": dict(image_shape=(4, 4, 1), latent_dim=3, filters=(2,)),
    "conv_encoder": dict(image_shape=(4, 4, 1), latent_dim=3, filters=(2,)),
    "dcgan_discriminator": dict(image_shape=(16, 16, 1), filters=2),
    "dcgan_generator": dict(image_shape=(16, 16, 1), latent_dim=3, filters=2),
    "dcgan_without": dict(
        guideline="convolutions", image_shape=(16, 16, 1), latent_dim=3, filters=2, hidden=3
    ),
    "info_gan_networks": dict(image_shape=(8, 8, 1), filters=2, hidden=3),
    "ladder_networks": dict(image_shape=(4, 4, 1), latent_dims=(2, 1), hidden=(4, 3)),
    "lenet": dict(image_shape=(16, 16, 1), classes=3, filters=2, hidden=4),
    "made": dict(values=3, outputs_per_value=2, hidden=(4,)),
    "maxout_discriminator": dict(image_shape=(4, 4, 1), hidden=(3,)),
    "mlp_decoder": dict(image_shape=(2, 2, 1), latent_dim=3, hidden=(4,)),
    "mlp_encoder": dict(image_shape=(2, 2, 1), latent_dim=3, hidden=(4,)),
    "moco_gan_generator": dict(video_shape=(2, 8, 8, 1), content_dim=3, motion_dim=2, filters=2),
    "normalized_lenet": dict(image_shape=(8, 8, 1), classes=3, filters=2, hidden=4),
    "patch_discriminator": dict(image_shape=(32, 32, 3), filters=2),
    "pixel_cnn": dict(image_shape=(4, 4, 1), outputs_per_value=8, filters=2, blocks=1),
    "pixel_rnn": dict(image_shape=(4, 4, 1), outputs_per_value=8, units=2, blocks=1),
    "pixel_vae_decoder": dict(image_shape=(4, 4, 1), latent_dim=2, filters=2, decoder_filters=(2,)),
    "progressive_discriminator": dict(image_shape=(8, 8, 3), filters=2, width=16),
    "progressive_generator": dict(image_shape=(8, 8, 3), latent_dim=3, filters=2, width=16),
    "residual_decoder": dict(image_shape=(8, 8, 1), latent_dim=3, filters=2, codes_per_place=2),
    "residual_encoder": dict(image_shape=(8, 8, 1), latent_dim=3, filters=2, codes_per_place=2),
    "resnet_generator": dict(filters=2, blocks=1),
    "style_discriminator": dict(image_shape=(8, 8, 3), filters=2, width=16),
    "style_generator": dict(image_shape=(8, 8, 3), style_dim=3, filters=2, width=16),
    "style_mapping": dict(latent_dim=3, style_dim=3, depth=1),
    "time_mlp": dict(shape=(3,), width=4, blocks=1),
    "time_unet": dict(shape=(4, 4, 1), widths=(4,), groups=2, classes=2),
    "video_discriminator": dict(video_shape=(4, 8, 8, 1), filters=2),
    "vq_vae_2_networks": dict(image_shape=(8, 8, 1), latent_dim=3, filters=2),
    "wave_decoder": dict(samples=64, latent_dim=3, filters=(2, 2)),
    "wave_encoder": dict(samples=64, latent_dim=3, filters=(2, 2)),
    "wavenet": dict(filters=2, skip_filters=3, dilations=(1, 2), levels=None, classes=2),
}
# Those whose precision is not the policy's, or whose layers have no weights.
OTHERS = {
    "conv_classifier": dict(channels=1, outputs=2, widths=(3, 2)),
    "linear_networks": dict(mean=np.zeros((2, 2, 1)), latent_dim=2),
    "m2_networks": dict(shape=(2, 2, 1), classes=3, latent_dim=2, hidden=(4,)),
    "mlp_networks": dict(image_shape=(2, 2, 1), latent_dim=3, hidden=(4,)),
    "one_layer_networks": dict(image_shape=(2, 2, 1), latent_dim=3),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", TINY)
def test_mixed_precision_gives_float32(name):
    keras.config.set_dtype_policy("mixed_bfloat16")
    built = getattr(networks, name)(**TINY[name])
    for network in keras.tree.flatten(built):
        assert {output.dtype for output in network.outputs} == {"float32"}
        assert "bfloat16" in {layer.compute_dtype for layer in network.layers if layer.weights}
        assert {weight.dtype for weight in network.trainable_weights} == {"float32"}


# Only one of the outputs of progressive_discriminator takes images of a size.
DIFFERENTIABLE = ["classifier_on", *sorted(TINY.keys() - {"progressive_discriminator"}), *OTHERS]


ODD = (21, 13, 3)
OF_ODD_SIDES = {
    "big_gan_generator": dict(image_shape=ODD, classes=3, latent_dim=4, filters=2),
    "big_gan_discriminator": dict(image_shape=(21, 17, 3), classes=3, filters=2, attention=None),
    "conv_biva_networks": dict(image_shape=ODD, latent_dims=(2, 1, 1), filters=3),
    "conv_decoder": dict(image_shape=ODD, latent_dim=24, filters=(2, 2), maps=True),
    "conv_encoder": dict(image_shape=ODD, latent_dim=24, filters=(2, 2), maps=True),
    "dcgan_discriminator": dict(image_shape=ODD, filters=2),
    "dcgan_generator": dict(image_shape=ODD, latent_dim=3, filters=2),
    "dcgan_without": dict(guideline="strides", image_shape=ODD, latent_dim=3, filters=2),
    "info_gan_networks": dict(image_shape=ODD, filters=2, hidden=3),
    "moco_gan_generator": dict(video_shape=(4, *ODD), content_dim=3, motion_dim=2, filters=2),
    "pixel_vae_decoder": dict(image_shape=ODD, latent_dim=2, filters=3, decoder_filters=(2,)),
    "residual_decoder": dict(image_shape=ODD, latent_dim=3, filters=2),
    "residual_encoder": dict(image_shape=ODD, latent_dim=3, filters=2),
    "video_discriminator": dict(video_shape=(4, *ODD), filters=2),
    "vq_vae_2_networks": dict(image_shape=ODD, latent_dim=3, filters=2),
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", OF_ODD_SIDES)
def test_sides_need_not_be_multiples(name):
    """What is taken or made is an image of the sides, and codes are those that are made."""
    arguments = OF_ODD_SIDES[name]
    shape = arguments.get("video_shape") or arguments["image_shape"]
    found = keras.tree.flatten(getattr(networks, name)(**arguments))
    ends = [tensor for network in found for tensor in (*network.inputs, *network.outputs)]
    assert shape in [tensor.shape[1:] for tensor in ends]


def built(name) -> list[keras.Model]:
    if name == "classifier_on":
        return [networks.classifier_on(networks.mlp_encoder((8, 8, 1), 3, (4,)))]
    return keras.tree.flatten(getattr(networks, name)(**(TINY | OTHERS)[name]))


@pytest.mark.thorough
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_outputs_have_gradients_by_all_inputs(name, rng):
    for network in built(name):
        # Initial zeros would hide an input.
        for weight in network.trainable_weights:
            weight.assign(weight + rng.normal(0, 0.3, weight.shape))
        inputs = []
        for symbol in network.inputs:
            shape = [3, *(size or 8 for size in symbol.shape[1:])]
            values = rng.normal(size=shape) if "float" in symbol.dtype else np.ones(shape)
            inputs.append(tf.constant(values, symbol.dtype))
        with tf.GradientTape() as tape:
            tape.watch(floats := [each for each in inputs if each.dtype.is_floating])
            outputs = keras.tree.flatten(network(inputs if len(inputs) > 1 else inputs[0]))
            total = sum(tf.reduce_sum(each * rng.normal(size=each.shape)) for each in outputs)
        assert floats and all(np.any(slope) for slope in tape.gradient(total, floats))


FUNCTIONS = sorted(name for name, value in vars(networks).items() if inspect.isfunction(value))


@functools.cache
def required() -> dict:
    """A value for an argument that must be given, by its kind."""
    network = keras.Sequential([keras.Input([2]), keras.layers.Dense(3)])
    layer = keras.layers.Dense(2)
    array = np.zeros([2, 2, 1])
    return {keras.Model: network, keras.Layer: layer, np.ndarray: array, int: 3, tuple: (4, 4, 1)}


def wrong_values(parameter) -> list:
    """Values that an argument of this kind cannot have."""
    kind = str(parameter.annotation)
    wrong = [*testing.ODD]
    if "None" not in kind and parameter.default is not None:
        wrong.append(None)
    if "float" not in kind:
        wrong += [-1, 2.5]
    if "bool" not in kind:
        wrong.append(True)
    if "str" not in kind:
        wrong.append("many")
    if parameter.name.endswith("shape"):
        wrong += [(), (0, 0, 0), (4, -4, 1)]
    return wrong


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arguments_that_cannot_be_right_are_refused_in_one_sentence(name):
    function = getattr(networks, name)
    kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    parameters = [p for p in inspect.signature(function).parameters.values() if p.kind in kinds]
    given = {p.name: required().get(p.annotation, (1,)) for p in parameters if p.default is p.empty}
    for parameter in parameters:
        for wrong in wrong_values(parameter):
            with pytest.raises((TypeError, ValueError)) as caught:
                function(**given | {parameter.name: wrong})
                pytest.fail(f"{parameter.name}={wrong!r} was taken")
            text = str(caught.value)
            assert "\n" not in text and len(text) < 300 and text.endswith("."), text
            assert parameter.name in text, (parameter.name, wrong, text)


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("conv_decoder", "image_shape"),
        ("time_unet", "shape"),
        ("resnet_generator", "image_shape"),
        ("video_discriminator", "video_shape"),
    ],
)
def test_shapes_with_too_few_axes_are_refused(name, argument):
    with pytest.raises(ValueError, match=rf"^{argument} is \(8, 8\): expected \(.*channels\)\.$"):
        getattr(networks, name)(**{argument: (8, 8)})
